//! The program `versus-rust`: ours through `libqueues.so`, and queues of crates.

fn main() {
    // As the documentation of crossfire recommends.
    crossfire::detect_backoff_cfg();
    contestants::main(contestants::contestants());
}
