//! A panic in code of the caller's leaves everything here usable: it runs with no lock held, every decision
//! under a lock is whole before the next call of foreign code, and no lock stays poisoned. `tests/callbacks.rs`
//! shows it. The compiler cannot know that of the closures inside, so it is said here.

use std::panic::{RefUnwindSafe, UnwindSafe};

use super::request::{Request, RequestBuilder};
use super::response::Response;
use super::{Client, ClientBuilder, ResponseBody};
use crate::config::proxy::Proxy;
#[cfg(feature = "cookies")]
use crate::cookie::Jar;
use crate::driver::runtime::Runtime;
use crate::error::Error;
use crate::policy::{redirect, retry};

impl<F: Runtime> UnwindSafe for Client<F> {}
impl<F: Runtime> RefUnwindSafe for Client<F> {}
impl<F: Runtime> UnwindSafe for ClientBuilder<F> {}
impl<F: Runtime> RefUnwindSafe for ClientBuilder<F> {}
impl<F: Runtime> UnwindSafe for Request<F> {}
impl<F: Runtime> RefUnwindSafe for Request<F> {}
impl<F: Runtime> UnwindSafe for RequestBuilder<F> {}
impl<F: Runtime> RefUnwindSafe for RequestBuilder<F> {}
impl<B: UnwindSafe> UnwindSafe for Response<B> {}
impl<B: RefUnwindSafe> RefUnwindSafe for Response<B> {}
impl<F: Runtime> UnwindSafe for ResponseBody<F> {}
impl<F: Runtime> RefUnwindSafe for ResponseBody<F> {}
impl UnwindSafe for Error {}
impl RefUnwindSafe for Error {}
#[cfg(feature = "cookies")]
impl UnwindSafe for Jar {}
#[cfg(feature = "cookies")]
impl RefUnwindSafe for Jar {}
impl UnwindSafe for Proxy {}
impl RefUnwindSafe for Proxy {}
impl UnwindSafe for redirect::Policy {}
impl RefUnwindSafe for redirect::Policy {}
impl UnwindSafe for retry::Policy {}
impl RefUnwindSafe for retry::Policy {}
