//! Upload spaces over FTP, with the clients that people have: lftp and curl.
//!
//! [`client`] speaks the protocol, by those and by hand; who comes in is in `doors`, what arrives and what does not in
//! `transfers`, where spaces are and where nothing leads in `spaces`.

pub mod client;
mod doors;
mod spaces;
mod transfers;
