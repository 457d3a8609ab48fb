/// Whether this process may give files away and run jobs as their users.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}
