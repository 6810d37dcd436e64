//! Clients of the servers in examples/c. Each sends many requests before it reads an answer, so the
//! pool of a server runs out of room.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

pub const CLIENTS: u32 = 4;
pub const REQUESTS: u32 = 1000;

/// The first requests of each client take so long that the pool surely runs out of room.
const SLOW: u32 = 32;
const LARGE_PRIME: u32 = 4_294_967_291;

/// The most requests of a client that are not answered. A socket holds that many answers.
const WINDOW: usize = 64;

/// Connects when the server listens; `None` if it ends before.
fn connect(server: &mut Child, socket: &Path, end: Instant) -> Option<UnixStream> {
    loop {
        match UnixStream::connect(socket) {
            Ok(stream) => {
                // A server that hangs fails the test.
                stream.set_read_timeout(Some(end - Instant::now())).unwrap();
                stream.set_write_timeout(Some(end - Instant::now())).unwrap();
                return Some(stream);
            }
            Err(error) => assert!(Instant::now() < end, "{}: {error}", socket.display()),
        }
        if server.try_wait().unwrap().is_some() {
            return None;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn smallest_factor(number: u32) -> u32 {
    let mut small = (2..1 << 16).take_while(|f| u64::from(*f).pow(2) <= number.into());
    small.find(|f| number % f == 0).unwrap_or(number)
}

/// Every request has one answer, which is right.
fn ask(mut stream: &UnixStream, requests: &[u32]) {
    let (mut written, mut answered) = (0, Vec::new());
    for answers in 0..requests.len() {
        // Half a window at once, so that requests wait in the socket.
        if written <= answers + WINDOW / 2 {
            let end = requests.len().min(answers + WINDOW);
            let bytes: Vec<u8> =
                requests[written..end].iter().flat_map(|number| number.to_ne_bytes()).collect();
            // In parts that end inside of a request.
            for part in bytes.chunks(101) {
                stream.write_all(part).unwrap();
            }
            written = end;
        }
        let mut answer = [[0; 4]; 2];
        stream.read_exact(answer.as_flattened_mut()).unwrap();
        let [number, factor] = answer.map(u32::from_ne_bytes);
        assert_eq!(factor, smallest_factor(number), "of {number}");
        answered.push(number);
    }
    let mut requests = requests.to_vec();
    requests.sort_unstable();
    answered.sort_unstable();
    assert_eq!(answered, requests);
}

/// Clients use a server, some of them badly; then the server is told to end. Returns whether it
/// listened at all. The number of complete requests that it gets is at least CLIENTS * REQUESTS.
pub fn use_server(server: &mut Child, socket: &Path, limit: Duration) -> bool {
    let end = Instant::now() + limit;
    let Some(idle) = connect(server, socket, end) else { return false };
    let mut client = || connect(server, socket, end).expect("the server listens");
    let streams: Vec<_> = (0..CLIENTS).map(|_| client()).collect();

    // They leave: one without a request, one within a request, one before its answers.
    drop(client());
    client().write_all(&[1]).unwrap();
    client().write_all(&[7; 160]).unwrap();

    thread::scope(|scope| {
        for (i, stream) in (0..).zip(&streams) {
            let request = |k| if k < SLOW { LARGE_PRIME } else { 2 + i + k * k };
            let requests: Vec<_> = (0..REQUESTS).map(request).collect();
            scope.spawn(move || ask(stream, &requests));
        }
    });
    // One comes back, another sends a request in single bytes.
    ask(&streams[0], &[2, 3, u32::MAX]);
    for byte in 35_u32.to_ne_bytes() {
        (&streams[1]).write_all(&[byte]).unwrap();
        thread::sleep(Duration::from_millis(1));
    }
    ask(&streams[1], &[35]);
    drop(streams);

    // SAFETY: no pointers. The child was not reaped, so the number is its own.
    unsafe { libc::kill(server.id() as i32, libc::SIGTERM) };
    // The server ends although a client is connected, which finds that its end is closed.
    let closed = (&idle).read(&mut [0]);
    assert!(
        matches!(&closed, Ok(0)) || closed.is_err_and(|e| e.kind() == ErrorKind::ConnectionReset)
    );
    true
}
