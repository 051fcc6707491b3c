use super::*;

#[test]
fn pairs_are_appended_to_a_string() {
    let mut form = Serializer::new("a=1".to_owned());
    form.append_pair("b c", "d&e").append_key_only("f").extend_keys_only::<_, &str>(["g", "h"]);
    form.extend_pairs([("i", "j"); 2]).extend_pairs::<[(&str, &str); 0], _, _>([]);
    assert_eq!(form.finish(), "a=1&b+c=d%26e&f&g&h&i=j&i=j");
    assert_eq!(form.append_pair("k", "").finish(), "k=", "it begins again");
    assert_eq!(form.append_pair("k", "l").clear().append_key_only("m").finish(), "m");
}

#[test]
fn a_borrowed_string_has_each_pair_at_once() {
    let mut text = String::new();
    let mut form = Serializer::new(&mut text);
    assert_eq!(form.append_pair("a", "1").finish(), "a=1");
    form.append_pair("b", "2");
    assert_eq!(text, "a=1&b=2");
}
