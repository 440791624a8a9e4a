//! The program `snapfill`.

/// The system's own keeps much of what large documents leave behind, for each thread apart.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    snapfill_cli::main(std::env::args_os()).into()
}
