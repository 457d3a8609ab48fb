//! Containers: ours against a bare loop over the same engine.

use std::time::Instant;

use bollard::Docker;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{
    CreateContainerOptions, RemoveContainerOptions, StartContainerOptions, WaitContainerOptionsBuilder,
};
use futures::{StreamExt, stream};
use serde_json::json;

use crate::server::{Server, job};
use crate::{per_second, row};

const IMAGE: &str = "godocker/busybox";
const CONTAINERS: usize = 60;

pub async fn containers() {
    let Ok(engine) = Docker::connect_with_unix_defaults() else { return };
    let Ok(engine) = engine.negotiate_version().await else {
        println!("no Docker engine answers: containers are not measured");
        return;
    };
    // Each once to warm up, then in turns, so that both meet the same machine.
    bare(&engine, 8).await;
    let server = Server::start("docker", &[("GODOCKER_DOCKER_CONCURRENCY", "8")]).await;
    ours(&server, 8).await;
    let (mut best_bare, mut best_ours) = (0.0_f64, 0.0_f64);
    for _ in 0..2 {
        best_bare = best_bare.max(bare(&engine, CONTAINERS).await);
        best_ours = best_ours.max(ours(&server, CONTAINERS).await);
    }
    let share = best_ours / best_bare;
    let yardstick = format!("{best_ours:.2}/s; a bare create, start, wait, remove loop: {best_bare:.2}/s");
    row("containers, 8 at once, share of a bare loop", format!("{share:.2}"), "≥ 0.95", &yardstick);
}

async fn bare(engine: &Docker, count: usize) -> f64 {
    let begun = Instant::now();
    stream::iter(0..count)
        .for_each_concurrent(8, |_| async {
            let body = ContainerCreateBody {
                image: Some(IMAGE.to_owned()),
                cmd: Some(vec!["true".to_owned()]),
                ..ContainerCreateBody::default()
            };
            let made = engine.create_container(None::<CreateContainerOptions>, body).await.expect("it is created");
            engine.start_container(&made.id, None::<StartContainerOptions>).await.expect("it starts");
            let options = WaitContainerOptionsBuilder::default().condition("not-running").build();
            let _ = engine.wait_container(&made.id, Some(options)).next().await;
            let _ = engine.remove_container(&made.id, None::<RemoveContainerOptions>).await;
        })
        .await;
    per_second(count, begun.elapsed())
}

async fn ours(server: &Server, count: usize) -> f64 {
    let mut many = job(IMAGE, "true");
    // Eight at once, however many cores there are.
    many["requirements"]["cpu"] = json!(0.1);
    many["requirements"]["array"] = json!({ "values": format!("{count}%8") });
    let begun = Instant::now();
    server.over(server.submit(many).await).await;
    per_second(count, begun.elapsed())
}
