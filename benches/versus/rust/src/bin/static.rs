//! Ours through `libqueues.a`: what the way through the shared library's jump table costs.

fn main() {
    contestants::main(contestants::ours::contestants(", static"));
}
