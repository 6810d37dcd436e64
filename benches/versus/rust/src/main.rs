//! Ours through `libqueues.so`, and the crates.

fn main() {
    // As crossfire asks its users to do.
    crossfire::detect_backoff_cfg();
    contestants::main(contestants::contestants());
}
