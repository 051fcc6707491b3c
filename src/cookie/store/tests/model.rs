//! A slow and simple reference model of the store: one list in the order of creation, and every
//! rule of §5.7 and §5.8 as a walk over it. Store and model run the same steps and must send the
//! same headers.

use proptest::prelude::*;

use super::*;
use crate::cookie::set_cookie::SetCookie;

fn limits() -> Limits {
    Limits { max_per_domain: 3, max_total: 6, ..Limits::default() }
}

#[derive(Default)]
struct Model {
    cookies: Vec<StoredCookie>,
    steps: u64,
}

impl Model {
    fn set(
        &mut self,
        site: Site<'_>,
        set_cookie: &[u8],
        now: SystemTime,
    ) -> Result<(), CookieRefusal> {
        self.cookies.retain(|cookie| !cookie.is_expired(now));
        let mut new = StoredCookie::admit(
            &SetCookie::parse(set_cookie, &Limits::default())?,
            site,
            &Limits::default(),
            now,
        )?;
        if !site.is_secure && self.cookies.iter().any(|old| overlays(&new, old, site)) {
            return Err(CookieRefusal::OverlaysSecure);
        }
        self.steps += 1;
        new.accessed = self.steps;
        match self.cookies.iter().position(|old| old.is_replaced_by(&new)) {
            Some(place) => self.cookies[place] = new,
            None => self.cookies.push(new),
        }
        self.cookies.retain(|cookie| !cookie.is_expired(now));
        while let Some(place) = self.excess() {
            self.cookies.remove(place);
        }
        Ok(())
    }

    fn header(&mut self, site: Site<'_>, now: SystemTime) -> String {
        self.cookies.retain(|cookie| !cookie.is_expired(now));
        self.steps += 1;
        let mut list = Vec::new();
        for cookie in &mut self.cookies {
            let host_matches = if cookie.host_only {
                cookie.domain == site.host
            } else {
                domain_matches(site.host, &cookie.domain, site.is_ip)
            };
            let path_matches = path_matches(site.path.as_bytes(), &cookie.path);
            let channel_matches = site.is_secure || !cookie.secure;
            if host_matches && path_matches && channel_matches {
                cookie.accessed = self.steps;
                list.push(cookie.clone());
            }
        }
        list.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len())); // stable
        let pairs = list.iter().map(|cookie| match cookie.name() {
            "" => cookie.value().to_owned(),
            name => format!("{name}={}", cookie.value()),
        });
        pairs.collect::<Vec<_>>().join("; ")
    }

    /// Returns the index of the next cookie to evict, in the RFC's order of priority.
    fn excess(&self) -> Option<usize> {
        let crowd = |domain: &str| self.cookies.iter().filter(|c| c.domain == domain).count();
        let crowded = |cookie: &StoredCookie| crowd(&cookie.domain) > limits().max_per_domain;
        let too_many = self.cookies.len() > limits().max_total;
        let oldest = |is_candidate: &dyn Fn(&StoredCookie) -> bool| {
            let candidates = self.cookies.iter().enumerate().filter(|(_, c)| is_candidate(c));
            candidates.min_by_key(|(_, c)| c.accessed).map(|(place, _)| place)
        };
        oldest(&|cookie| crowded(cookie) && !cookie.secure)
            .or_else(|| oldest(&crowded))
            .or_else(|| oldest(&|_| too_many))
    }
}

fn domain_matches(string: &str, domain: &str, is_ip: bool) -> bool {
    string == domain || (!is_ip && string.ends_with(&format!(".{domain}")))
}

fn overlays(new: &StoredCookie, old: &StoredCookie, site: Site<'_>) -> bool {
    let kind = site.is_ip;
    old.secure
        && old.name == new.name
        && (domain_matches(&new.domain, &old.domain, kind)
            || domain_matches(&old.domain, &new.domain, kind))
        && path_matches(&new.path, &old.path)
}

#[derive(Clone, Debug)]
enum Step {
    Set(String, String),
    Header(String),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (url(), set_cookie()).prop_map(|(url, set_cookie)| Step::Set(url, set_cookie)),
        4 => url().prop_map(Step::Header),
        1 => (0_u64..5).prop_map(Step::Wait),
    ]
}

fn url() -> impl Strategy<Value = String> {
    let hosts = [
        "example.com",
        "www.example.com",
        "www.example.com",
        "www.example.com",
        "a.www.example.com",
        "b.www.example.com",
        "xexample.com",
        "example.com.",
        "com",
        "localhost",
        "a.localhost",
        "1.2.3.4",
        "[::1]",
    ];
    let paths = ["", "/", "/a", "/a/", "/a/b", "/ab"];
    (any::<bool>(), prop::sample::select(hosts.to_vec()), prop::sample::select(paths.to_vec()))
        .prop_map(|(secure, host, path)| {
            format!("http{}://{host}{path}", if secure { "s" } else { "" })
        })
}

fn set_cookie() -> impl Strategy<Value = String> {
    let names = ["", "n", "m", "N", "__Secure-n", "__Host-n"];
    let attributes = [
        "Domain=example.com",
        "Domain=www.example.com",
        "Domain=com",
        "Domain=example.com.",
        "Domain=localhost",
        "Domain=1.2.3.4",
        "Path=/",
        "Path=/a",
        "Path=/a/",
        "Path=/a/b",
        "Secure",
        "Secure",
        "Max-Age=0",
        "Max-Age=3",
        "Max-Age=9",
        "Expires=1 Jan 1970 0:0:7",
    ];
    let attributes = prop::collection::vec(prop::sample::select(attributes.to_vec()), 0..4);
    (prop::sample::select(names.to_vec()), 0..100_u8, attributes)
        .prop_map(|(name, value, attributes)| format!("{name}={value}; {}", attributes.join("; ")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn store_and_model_agree(steps in prop::collection::vec(step(), 0..60)) {
        let mut store = Store { limits: limits(), ..Store::default() };
        let mut model = Model::default();
        let mut now = at(0);
        for step in &steps {
            match step {
                Step::Set(url, set_cookie) => {
                    let site = Site::from(url.as_str());
                    let result = store.set(site, set_cookie.as_bytes(), now);
                    prop_assert_eq!(result, model.set(site, set_cookie.as_bytes(), now));
                }
                Step::Header(url) => {
                    let expected = model.header(Site::from(url.as_str()), now);
                    prop_assert_eq!(header(&mut store, url, now), expected);
                }
                Step::Wait(seconds) => now += Duration::from_secs(*seconds),
            }
            prop_assert_eq!(store.len(), model.cookies.len());
            prop_assert_eq!(store.len(), store.iter().count());
            prop_assert!(store.domains.values().all(|held| !held.is_empty()));
        }
    }
}
