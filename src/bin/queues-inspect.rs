//! Prints the contents of the file of a shared queue.

#[cfg(not(queues_shared))]
fn main() -> std::process::ExitCode {
    eprintln!("queues-inspect: this system has no shared queues");
    std::process::ExitCode::from(2)
}

#[cfg(queues_shared)]
fn main() -> std::process::ExitCode {
    program::main()
}

#[cfg(queues_shared)]
mod program {
    use std::io::Write;
    use std::path::PathBuf;
    use std::process::ExitCode;
    use std::time::Duration;

    const HELP: &str = "\
Prints the contents of the file of a shared queue: sizes, items, statistics, cells
by state, and the attached handles, alive and dead. It only reads the file.

usage: queues-inspect [--json] [--watch [SECONDS]] FILE

  --json             one JSON object (with --watch one a line)
  --watch [SECONDS]  again every SECONDS (1 by default), until interrupted; also
                     while the file is empty or a process creates the queue
  --help             this text
  --version          the version of the library

FILE may be /proc/PID/fd/N for a queue in a memfd.
Exit status: 0 on success; 1 if the file cannot be read or is no shared queue;
2 for wrong arguments.
";

    struct Arguments {
        json: bool,
        watch: Option<Duration>,
        file: PathBuf,
    }

    fn parse(
        arguments: impl Iterator<Item = std::ffi::OsString>,
    ) -> Result<Option<Arguments>, String> {
        let (mut json, mut watch, mut file) = (false, None, None);
        let mut arguments = arguments.peekable();
        while let Some(argument) = arguments.next() {
            match argument.to_str() {
                Some("--help") => {
                    print!("{HELP}");
                    return Ok(None);
                }
                Some("--version") => {
                    println!("queues-inspect {}", env!("CARGO_PKG_VERSION"));
                    return Ok(None);
                }
                Some("--json") => json = true,
                Some("--watch") => {
                    let seconds =
                        arguments.peek().and_then(|next| next.to_str()?.parse::<f64>().ok());
                    if seconds.is_some() {
                        arguments.next();
                    }
                    let seconds = seconds.unwrap_or(1.0);
                    watch = Some(
                        Duration::try_from_secs_f64(seconds)
                            .ok()
                            .filter(|span| !span.is_zero())
                            .ok_or(format!(
                                "--watch needs a number of seconds above 0, not {seconds}"
                            ))?,
                    );
                }
                Some(option) if option.starts_with("--") => {
                    return Err(format!("unknown option {option}"));
                }
                _ if file.is_some() => return Err("expected one file".to_string()),
                _ => file = Some(PathBuf::from(argument)),
            }
        }
        let file = file.ok_or("expected a file")?;
        Ok(Some(Arguments { json, watch, file }))
    }

    pub(super) fn main() -> ExitCode {
        let arguments = match parse(std::env::args_os().skip(1)) {
            Ok(Some(arguments)) => arguments,
            Ok(None) => return ExitCode::SUCCESS,
            Err(message) => {
                eprintln!("queues-inspect: {message}; see queues-inspect --help");
                return ExitCode::from(2);
            }
        };
        let mut printed = None;
        loop {
            let report = match queues::inspect::read(&arguments.file) {
                Ok(report) => report,
                Err(failure) => {
                    if printed.as_ref() != Some(&failure) {
                        let file = arguments.file.display();
                        eprintln!("queues-inspect: {file}: {}", failure.message);
                    }
                    match arguments.watch.filter(|_| failure.may_pass) {
                        Some(span) => std::thread::sleep(span),
                        None => return ExitCode::from(1),
                    }
                    printed = Some(failure);
                    continue;
                }
            };
            printed = None;
            let mut text = String::new();
            let written = if arguments.json {
                report.write_json(&mut text)
            } else {
                text = report.to_string();
                Ok(())
            };
            let clear =
                if arguments.watch.is_some() && !arguments.json { "\x1b[H\x1b[2J" } else { "" };
            let end = if arguments.json { "\n" } else { "" };
            // A closed pipe is the end.
            if written.is_err() || write!(std::io::stdout(), "{clear}{text}{end}").is_err() {
                return ExitCode::SUCCESS;
            }
            match arguments.watch {
                Some(span) => std::thread::sleep(span),
                None => return ExitCode::SUCCESS,
            }
        }
    }
}
