//! A server in one tokio loop: requests come from sockets, results from a pool of threads. The loop
//! waits for both by futures; the workers make calls that block, on the same queues.
//!
//! Three clients send four numbers each and print the squares.

use futures_lite::future::race;
use queues::{Mpmc, Wait};
use std::collections::HashMap;
use std::error::Error;
use std::io::{BufRead, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, tcp::OwnedReadHalf};

/// What goes to the workers and comes back: the number of the client, and a number.
type Job = (usize, u64);

struct Pool {
    requests: Mpmc<Job>,
    results: Mpmc<Job>,
}

/// A worker, a thread that blocks. Ends when the requests are closed.
fn work(pool: &Pool) {
    for (client, number) in &pool.requests {
        _ = pool.results.put((client, number * number), Wait::Forever);
    }
}

/// Reads the requests of a client. While the workers are behind, the put waits, and so does the client.
async fn read(client: usize, socket: OwnedReadHalf, pool: Arc<Pool>) -> Result<(), Box<dyn Error>> {
    let mut lines = BufReader::new(socket).lines();
    while let Some(line) = lines.next_line().await? {
        pool.requests.put_async((client, line.parse()?)).await.map_err(|refused| refused.error)?;
    }
    Ok(())
}

enum Input {
    Client(std::io::Result<(tokio::net::TcpStream, SocketAddr)>),
    Result(queues::Result<Job>),
}

/// The loop. Ends when the results are closed.
async fn serve(listener: TcpListener, pool: &Arc<Pool>) -> std::io::Result<()> {
    let mut clients = HashMap::new();
    loop {
        // The future that loses the race is dropped, and has taken nothing.
        let client = async { Input::Client(listener.accept().await) };
        let result = async { Input::Result(pool.results.get_async().await) };
        match race(client, result).await {
            Input::Client(accepted) => {
                let (client, (reader, writer)) = (clients.len(), accepted?.0.into_split());
                clients.insert(client, writer);
                let pool = pool.clone();
                // The server stops reading from a client that sends anything but numbers.
                tokio::spawn(async move { _ = read(client, reader, pool).await.is_err() });
            }
            Input::Result(Ok((client, square))) => {
                let writer = clients.get_mut(&client).expect("a client that was accepted");
                _ = writer.write_all(format!("{square}\n").as_bytes()).await; // it may have left
            }
            Input::Result(Err(_closed)) => return Ok(()),
        }
    }
}

/// A client, which knows nothing of queues.
fn ask(server: SocketAddr, first: u64) -> Result<Vec<u64>, Box<dyn Error + Send + Sync>> {
    let mut socket = TcpStream::connect(server)?;
    (first..first + 4).try_for_each(|number| writeln!(socket, "{number}"))?;
    let mut squares = Vec::new();
    for line in std::io::BufReader::new(socket).lines().take(4) {
        squares.push(line?.parse()?);
    }
    squares.sort_unstable(); // several workers, so in any order
    Ok(squares)
}

fn main() -> Result<(), Box<dyn Error>> {
    let (requests, results) = (Mpmc::with_capacity(2)?, Mpmc::with_capacity(2)?);
    let pool = Arc::new(Pool { requests, results });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let server = listener.local_addr()?;
    std::thread::scope(|scope| {
        (0..2).for_each(|_| _ = scope.spawn(|| work(&pool)));
        scope.spawn(|| {
            let clients = [10, 20, 30].map(|first| scope.spawn(move || ask(server, first)));
            clients.into_iter().for_each(|it| println!("{:?}", it.join().unwrap().unwrap()));
            pool.results.close();
        });
        let served = runtime.block_on(serve(listener, &pool));
        pool.requests.close();
        Ok(served?)
    })
}
