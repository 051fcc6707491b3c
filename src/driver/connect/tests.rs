use super::*;

#[test]
fn an_error_lists_a_bounded_number_of_addresses() {
    let listed = |count: usize| {
        let mut reasons = Reasons::default();
        (1..=count).for_each(|number| reasons.add(&number));
        reasons.list()
    };
    assert_eq!(listed(2), "1; 2");
    assert!(listed(16).ends_with("; 15; 16"), "{}", listed(16));
    assert!(listed(17).ends_with("; 16; 1 more"), "{}", listed(17));
    assert!(listed(4000).ends_with("; 16; 3984 more"), "{}", listed(4000));
}
