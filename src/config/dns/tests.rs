use super::*;

#[test]
fn names_are_hosts_as_in_a_url() {
    let name = |text: &str| text.parse::<Name>().ok().map(|name| name.as_str().to_owned());
    assert_eq!(name("Example.ORG").as_deref(), Some("example.org"));
    assert_eq!(name("a.test:80"), None);
    assert_eq!(name(""), None);
}

#[test]
fn resolvers_are_taken_by_value_and_shared() {
    let shared: Arc<dyn Resolve> = Arc::new(from_fn(|_| Ok(Vec::new())));
    let _: [Arc<dyn Resolve>; 4] = [
        SystemResolver.into_resolve(),
        Arc::new(SystemResolver).into_resolve(),
        Arc::clone(&shared).into_resolve(),
        shared.into_resolve(),
    ];
}
