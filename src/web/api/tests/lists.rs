//! Looking for jobs, many at once, templates, use and the overview.

use super::*;

fn named(name: &str, tags: &[&str]) -> Value {
    let mut document = a_document();
    document["meta"]["name"] = json!(name);
    document["meta"]["tags"] = json!(tags);
    document
}

fn ids(found: &Value) -> Vec<u64> {
    found["items"].as_array().unwrap().iter().map(|job| job["id"].as_u64().unwrap()).collect()
}

#[actix_web::test]
async fn jobs_are_looked_for_page_by_page() {
    let world = world().await;
    let first = world.submit("ann", &named("rna blast", &["x"])).await;
    let second = world.submit("ann", &named("align", &["x"])).await;
    let third = world.submit("ann", &named("Blast_2", &[])).await;
    world.submit("ben", &named("blast", &["x"])).await;
    let page = world.get("/task/search?limit=2&count=1", "ann").await.json();
    assert_eq!((ids(&page), &page["count"]), (vec![third, second], &json!({ "jobs": 3, "more": false })));
    let next = format!("/task/search?limit=2&after={}", page["next"].as_str().unwrap());
    let last = world.get(&next, "ann").await.json();
    assert_eq!((ids(&last), &last["next"], &last["tired"]), (vec![first], &Value::Null, &json!(false)));
    let back = format!("/task/search?limit=2&before={}", last["previous"].as_str().unwrap());
    assert_eq!(ids(&world.get(&back, "ann").await.json()), [third, second]);
    assert_eq!(ids(&world.get("/task/search?q=BLAST&state=active", "ann").await.json()), [third, first]);
    assert_eq!(ids(&world.get("/task/search?tag=x&sort=-submitted", "ann").await.json()), [first, second]);
    assert_eq!(ids(&world.get("/task/search?user=*&q=blast", "root").await.json()).len(), 3);
    assert!(ids(&world.get("/task/search?state=done", "ann").await.json()).is_empty());
    assert_eq!(world.get("/task/search?user=ben", "ann").await.status, 403);
    let wrong = world.get("/task/search?state=lost&from=never", "ann").await;
    assert_eq!((wrong.status, wrong.json()["fields"].as_array().unwrap().len()), (400, 2));
}

#[actix_web::test]
async fn of_each_of_many_it_is_said_what_became_of_it() {
    let world = world().await;
    let pending = world.submit("ann", &named("a", &["old"])).await;
    let others = world.submit("ben", &named("b", &[])).await;
    let over = world.has_run("busybox").await;
    let body = json!({ "ids": [pending, others, over, 999], "add": ["new"], "remove": ["old"] }).to_string();
    let tagged = world.send("POST", "/task/tags", "ann", &body, &[]).await.json();
    assert_eq!(tagged["done"], json!([pending, over]));
    let hidden = "there is no job here that you may see";
    let refused = json!([{ "id": others, "reason": hidden }, { "id": 999, "reason": hidden }]);
    assert_eq!(tagged["refused"], refused);
    assert_eq!(ids(&world.get("/task/search?tag=new", "ann").await.json()).len(), 2);
    let killed =
        world.send("POST", "/task/kill", "ann", &json!({ "ids": [pending, over] }).to_string(), &[]).await.json();
    assert_eq!(killed["done"], json!([pending]));
    assert!(killed["refused"][0]["reason"].as_str().unwrap().contains("is over"), "{killed}");
    assert_eq!(world.job(pending).await.request, Some(Request::Kill(StopCause::User)));
    for bad in [json!({}), json!({ "ids": [] }), json!({ "ids": ["x"] }), json!({ "ids": [pending], "add": [""] })] {
        assert_eq!(world.send("POST", "/task/tags", "ann", &bad.to_string(), &[]).await.status, 400, "{bad}");
    }
}

#[actix_web::test]
async fn a_template_of_a_job_submits_another_like_it() {
    let world = world().await;
    let job = world.submit("ann", &named("blast", &["x"])).await;
    let keep = |name: &str, job: u64| json!({ "name": name, "job": job }).to_string();
    let made = world.send("POST", "/templates", "ann", &keep("my blast", job), &[]).await.json();
    let path = format!("/templates/{}", made["id"].as_str().unwrap());
    let again = world.submit("ann", &world.get(&path, "ann").await.json()["document"]).await;
    assert_eq!(world.job(again).await.spec, world.job(job).await.spec);
    assert_eq!(world.get(&path, "ben").await.status, 404);
    assert_eq!(world.send("POST", "/templates", "ann", &keep("my blast", job), &[]).await.status, 409);
    assert_eq!(world.send("POST", "/templates", "ben", &keep("hers", job), &[]).await.status, 404);
    let renamed = world.send("PUT", &path, "ann", r#"{ "name": "renamed" }"#, &[]).await.json();
    assert_eq!((&renamed["name"], &renamed["document"]), (&json!("renamed"), &made["document"]));
    let list = world.get("/templates", "ann").await.json();
    assert_eq!((&list[0]["name"], &list[0]["image"]), (&json!("renamed"), &made["document"]["container"]["image"]));
    assert_eq!(world.send("PUT", &path, "ann", r#"{ "name": " " }"#, &[]).await.status, 400);
    assert_eq!(world.send("DELETE", &path, "ann", "", &[]).await.status, 200);
    assert_eq!(world.get("/templates", "ann").await.json(), json!([]));
}

#[actix_web::test]
async fn use_is_reported_to_whom_it_concerns() {
    let world = world().await;
    world.has_run("busybox").await;
    let own = world.get("/usage", "ann").await.json();
    assert_eq!(
        (&own["rows"][0]["user"], &own["rows"][0]["jobs"], &own["total"]["time"]),
        (&json!("ann"), &json!(1), &json!(61))
    );
    assert_eq!(world.get("/usage", "ben").await.json()["rows"], json!([]));
    assert_eq!(world.get("/usage?user=ann", "ben").await.status, 403);
    assert_eq!(world.get("/usage?user=*&project=rna", "ben").await.status, 403);
    assert_eq!(world.get("/usage?user=*&project=rna", "ann").await.status, 200);
    let all = world.get("/usage?by=month", "root").await.json();
    assert_eq!((&all["rows"][0]["user"], all["rows"][0]["period"].as_str().unwrap().len()), (&json!("ann"), 7));
    assert_eq!(world.get("/usage?by=month&user=*", "root").await.json()["rows"][0]["user"], Value::Null);
    assert_eq!(world.get("/usage?from=x&by=year", "root").await.json()["fields"].as_array().unwrap().len(), 2);
    for (path, accept) in [("/usage.csv", "*/*"), ("/usage?format=csv", "*/*"), ("/usage", "text/csv")] {
        let csv = world.send("GET", path, "ann", "", &[("Accept", accept)]).await;
        assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8", "{path}");
        let text = csv.text();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "user,project,period,jobs,time_s,cpu,ram_gb,gpu");
        assert!(lines[1].starts_with(r#""ann","#) && lines.len() == 2, "{lines:?}");
    }
}

#[actix_web::test]
async fn administrators_see_how_the_site_does() {
    let world = world().await;
    world.has_run("busybox").await;
    let id = world.submit("ann", &a_document()).await;
    let JobState::Over(outcome) = over() else { panic!("it is over") };
    world.set(id, JobState::Over(Outcome { ended: world.site.clock.now(), ..outcome })).await;
    let overview = world.get("/admin/overview", "root").await.json();
    assert_eq!(overview["ends"]["by_ending"], json!([{ "ending": "done", "jobs": 1 }]));
    assert_eq!((&overview["users"][0]["user"], &overview["queue"]), (&json!("ann"), &Value::Null));
    assert_eq!(world.get("/admin/overview?days=2", "root").await.status, 400);
    assert_eq!(world.get("/admin/overview", "ann").await.status, 403);
}

#[actix_web::test]
async fn a_language_and_a_zone_are_kept() {
    let world = world().await;
    let send = async |preferences: Value| {
        let body = json!({ "preferences": preferences }).to_string();
        world.send("PUT", "/user/ann", "ann", &body, &[]).await
    };
    let kept = send(json!({ "language": "fr", "zone": "Europe/Paris" })).await.json();
    assert_eq!(
        (&kept["preferences"]["language"], &kept["preferences"]["zone"]),
        (&json!("fr"), &json!("Europe/Paris"))
    );
    let kept = send(json!({ "zone": "" })).await.json();
    assert_eq!((&kept["preferences"]["language"], &kept["preferences"]["zone"]), (&json!("fr"), &Value::Null));
    let wrong = send(json!({ "language": "xx", "zone": "Mars/Base" })).await;
    assert_eq!(wrong.json()["fields"].as_array().unwrap().len(), 2);
}
