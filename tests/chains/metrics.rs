//! `--metrics-file`

use insta::assert_snapshot;

#[test]
fn what_came_of_each_chain_is_written_for_prometheus() {
    let users = "{\"user_id\":\"u1\",\"email\":\"ada@example.com\",\"name\":\"Ada\"}\n\
                 {\"user_id\":\"u2\",\"email\":\"eve@\",\"name\":\"Eve\"}\n";
    let sink = "plugin = \"zendesk\"\nmax_rejects = \"100%\"\nfields = { name = \"name\" }";
    let bench = crate::bench(users, sink, "");
    let manifest = bench.read("connectors.toml");
    let broken = "\n[connectors.gone]\nplugin = \"auth0\"\noptions = { input = \"gone.ndjson\" }\n\
                  [chains.broken]\nfrom = \"gone\"\nto = [\"people\"]\n";
    bench.write("connectors.toml", manifest + broken);
    bench.usher(&["run", "main", "--quiet", "--metrics-file", "usher.prom"]).expect(0);
    assert!(!bench.read("usher.prom").contains("broken"));
    bench.usher(&["run", "--quiet", "--metrics-file", "usher.prom"]).expect(1);
    let text = bench.read("usher.prom");
    let times = ["usher_duration_seconds{", "usher_end_timestamp_seconds{"];
    let shown = text.lines().map(|line| {
        let is_time = times.iter().any(|time| line.starts_with(time));
        if is_time {
            line.rsplit_once(' ').unwrap().0.to_owned() + " [time]\n"
        } else {
            line.to_owned() + "\n"
        }
    });
    assert_snapshot!(shown.collect::<String>());
    // A file that cannot be written is a failure of the command, not of the run.
    let said = bench.usher(&["run", "main", "--quiet", "--metrics-file", "nowhere/usher.prom"]).expect(1);
    assert!(said.err.contains("cannot write the metrics to `nowhere/usher.prom`") && !said.out.is_empty());
}
