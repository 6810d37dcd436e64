//! The output of a tool: files that are complete or do not exist, and messages of one line. Also
//! used by benches/versus.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A message that may contain foreign text, as one line: control characters are escaped, and a long
/// message is cut off.
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

/// A message about a file: the path and the reason, without the number of the error.
pub fn about(path: &Path, error: &io::Error) -> String {
    let error = error.to_string();
    let reason = error.split(" (os error").next().unwrap_or_default();
    format!("{}: {reason}", path.display())
}

/// A file that is written when some work is done. Before the work it is checked that the file can
/// be written; until then its content stays.
pub struct Output {
    path: PathBuf,
    /// The new file, which replaces the old one at the end. `None` for a device or a pipe.
    new: Option<(PathBuf, File)>,
}

impl Output {
    pub fn to(path: &Path) -> Result<Self, String> {
        Self::open(path).map_err(|error| about(path, &error))
    }

    fn open(path: &Path) -> io::Result<Self> {
        // A link is kept: what it points to is written.
        if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            return Ok(Self { path: path.into(), new: None });
        }
        // Opened to append, so that nothing changes: only whether it may be written.
        match OpenOptions::new().append(true).open(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut name = path.as_os_str().to_owned();
        name.push(".new");
        let file = File::create(&name)?;
        Ok(Self { path: path.into(), new: Some((name.into(), file)) })
    }

    /// Whether this is a regular file, and not a device or a pipe.
    pub fn is_file(&self) -> bool {
        self.new.is_some()
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
