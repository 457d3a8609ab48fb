//! `god`: the users' client. Everything is in [`godocker::client`].

fn main() -> std::process::ExitCode {
    godocker::client::main()
}
