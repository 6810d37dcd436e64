//! What a tool leaves behind: files that are complete or not there, and messages of one line. Also part of
//! benches/versus.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What somebody else's text made of a message: no control characters, and not all of a long one.
pub fn one_line(message: &str) -> String {
    const MOST: usize = 300;
    let mut line = String::new();
    for (i, c) in message.chars().enumerate() {
        match c {
            _ if i == MOST => {
                line += "...";
                break;
            }
            c if c.is_control() => line.extend(c.escape_default()),
            c => line.push(c),
        }
    }
    line
}

/// What was wrong with a file, without the number that goes with it.
pub fn about(path: &Path, error: &io::Error) -> String {
    let error = error.to_string();
    let reason = error.split(" (os error").next().unwrap_or_default();
    format!("{}: {reason}", path.display())
}

/// A file to be written at the end of some work. It has been shown before that this is possible, and the
/// file keeps what was in it until then.
pub struct Output {
    path: PathBuf,
    /// Becomes the file; there is none for a device or a pipe.
    new: Option<(PathBuf, File)>,
}

impl Output {
    pub fn to(path: &Path) -> Result<Self, String> {
        Self::open(path).map_err(|error| about(path, &error))
    }

    fn open(path: &Path) -> io::Result<Self> {
        // Of a link its aim is written.
        if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            return Ok(Self { path: path.into(), new: None });
        }
        // Whether what is there may be written; it stays as it is.
        match OpenOptions::new().append(true).open(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut name = path.as_os_str().to_owned();
        name.push(".new");
        let file = File::create(&name)?;
        Ok(Self { path: path.into(), new: Some((name.into(), file)) })
    }

    pub fn write(mut self, text: &str) -> Result<(), String> {
        let written = match &mut self.new {
            None => fs::write(&self.path, text),
            Some((name, file)) => {
                file.write_all(text.as_bytes()).and_then(|()| fs::rename(name, &self.path))
            }
        };
        written.map_err(|error| about(&self.path, &error))?;
        self.new = None;
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Some((name, _)) = &self.new {
            _ = fs::remove_file(name);
        }
    }
}
