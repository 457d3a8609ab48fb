//! `god disk`: what takes the space of a user's job files, and archiving the largest of it.

use serde_json::Value;

use super::{Done, Session, ask};
use crate::client::cli::Disk;
use crate::client::http::Call;
use crate::client::table::Table;
use crate::domain::JobId;
use crate::domain::quantity::readable_bytes;

pub async fn disk(session: &Session, asked: Disk) -> Done {
    let user = asked.user.unwrap_or_else(|| session.server.user().to_owned());
    let limit = asked.archive.unwrap_or(asked.limit);
    let call = Call::read(&["user", &user, "disk"]).query("limit", limit).about(format!("user {user}"));
    let found = session.server.json(call).await?;
    if asked.archive.is_some() {
        return archive(session, &found).await;
    }
    session.output.table(&found, "no job that is over has files here", || table(&found))?;
    session.output.note(&of_quota(&found));
    Ok(0)
}

async fn archive(session: &Session, found: &Value) -> Done {
    let ids: Vec<JobId> = jobs(found).filter_map(|job| job["id"].as_u64().map(JobId)).collect();
    if ids.is_empty() {
        session.output.note("no job that is over has files here");
        return Ok(0);
    }
    ask::all(session, &ids, ask::Wish::Archive).await
}

fn jobs(found: &Value) -> impl Iterator<Item = &Value> {
    found["jobs"].as_array().into_iter().flatten()
}

fn whole(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

fn table(found: &Value) -> Table {
    let used = whole(&found["used"]);
    let mut table = Table::new(["JOB", "NAME", "SIZE", "OF ALL", "ENDED"]);
    for job in jobs(found) {
        let size = whole(&job["size"]);
        let share = u128::from(size) * 100 / u128::from(used.max(1));
        let ended = job["date_over"].as_f64().and_then(|seconds| jiff::Timestamp::from_second(seconds as i64).ok());
        table.row([
            job["id"].to_string(),
            job["name"].as_str().unwrap_or_default().to_owned(),
            readable_bytes(size),
            format!("{share} %"),
            ended.map(|ended| ended.to_string()).unwrap_or_default(),
        ]);
    }
    table
}

fn of_quota(found: &Value) -> String {
    let used = readable_bytes(whole(&found["used"]));
    let shown = jobs(found).count() as u64;
    let more = match whole(&found["count"]).saturating_sub(shown) {
        0 => String::new(),
        1 => "; one smaller job is not listed".to_owned(),
        more => format!("; {more} smaller jobs are not listed"),
    };
    match whole(&found["quota"]) {
        0 => format!("{used} used{more}"),
        quota => format!("{used} of {} used{more}", readable_bytes(quota)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_largest_is_shown_with_its_share() {
        let found = json!({ "used": 4_000_000, "quota": 5_000_000, "count": 3, "jobs": [
            { "id": 7, "name": "blast", "project": "default", "date_over": 0.0, "size": 3_000_000 },
            { "id": 3, "name": "sort", "project": "default", "date_over": 86_400.5, "size": 40_000 },
        ]});
        insta::assert_snapshot!(table(&found).plain(), @r"
        JOB  NAME   SIZE     OF ALL  ENDED
        7    blast  3.0 MB   75 %    1970-01-01T00:00:00Z
        3    sort   40.0 kB  1 %     1970-01-02T00:00:00Z
        ");
        assert_eq!(of_quota(&found), "4.0 MB of 5.0 MB used; one smaller job is not listed");
        assert_eq!(of_quota(&json!({ "used": 0, "quota": 0, "count": 0, "jobs": [] })), "0 B used");
    }
}
