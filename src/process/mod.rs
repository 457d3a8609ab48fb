//! What a daemon is to the host: privileges, signals.
