//! The round of a guest, by its buttons: they come in from a provider, are refused, are activated by an administrator in
//! a browser of their own, run a job, and read what it wrote.

use super::{log_in, words};
use crate::guests::{ann, site_of};
use crate::support::chromium::{Chromium, Reader};
use crate::support::{IMAGE, docker};

async fn the_whole_round(reader: Reader) {
    let provider = ann().await;
    let (server, _dir) = site_of(&provider, docker()).await;
    let (guest, admin) = (reader.open().await, reader.open().await);
    guest.open(&format!("{}/login", server.url())).await;
    guest.follow("Campus").await;
    guest.until("the guest is not in", async || (!guest.url().await.contains("/login")).then_some(())).await;
    guest.open(&format!("{}/profile", server.url())).await;
    guest.says(words::NOT_ACTIVE).await;
    submit(&guest, &server.url()).await;
    guest.says(words::ACTIVATE_FIRST).await;

    log_in(&admin, &server, "admin", "/admin/users").await;
    admin.says(words::WAITING_GUESTS).await;
    admin.click(&format!("{} guest-ann", words::ACTIVATE)).await;
    admin.says(words::SAVED).await;

    submit(&guest, &server.url()).await;
    guest.says_in_the_end(words::DONE).await;
    guest.says("run by 5").await;
    guest.is_at("/jobs/1").await;
}

async fn submit(guest: &Chromium, url: &str) {
    guest.open(&format!("{url}/jobs/new")).await;
    guest.fill(words::NAME, "first").await;
    guest.fill(words::IMAGE, IMAGE).await;
    guest.fill(words::SCRIPT, "#!/bin/sh\necho run by $(id -u)\n").await;
    guest.fill(words::MEMORY, "0.1").await;
    guest.click(words::SUBMIT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_makes_the_whole_round() {
    the_whole_round(Reader::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_without_scripts() {
    the_whole_round(Reader::without_scripts()).await;
}
