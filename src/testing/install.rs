//! Puts a client on a network in memory: the methods of its builder.

use super::mock::Mock;
use super::network::MemoryNetwork;
use super::reply::Reply;
use super::request::ReceivedRequest;
use super::testable::Testable;
use crate::client::ClientBuilder;
use crate::driver::runtime::Runtime;

/// Tests without a server.
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
impl<R: Runtime, D> ClientBuilder<Testable<R>, D> {
    /// Lets a function answer every request, in place of a connection: the client opens no socket. The function
    /// sees each attempt as it would be sent, with cookies, credentials and the fields that the client adds;
    /// redirects, retries, cookies, decoding and timeouts work above it as over the wire.
    ///
    /// It returns an `http::Response`, a [`Reply`], or a `Result` of either: its error is a
    /// [`Kind`](crate::error::Kind) or an [`Error`](crate::Error), with which the request fails. It runs in the call
    /// that sends the request, without a lock; its panic is that call's, and leaves the client usable.
    ///
    /// ```
    /// use leanhttp::Client;
    /// use leanhttp::testing::Reply;
    ///
    /// let client = Client::builder()
    ///     .answer_with(|request| match request.url().path() {
    ///         "/old" => Reply::status(302).header("location", "/new"),
    ///         path => Reply::ok(format!("{} {path}", request.method())),
    ///     })
    ///     .build()?;
    /// assert_eq!(client.get("https://api.example/old").send()?.text()?, "GET /new");
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn answer_with<H, A>(self, answer: H) -> Self
    where
        H: Fn(&ReceivedRequest) -> A + Send + Sync + 'static,
        A: Into<Reply>,
    {
        let network = MemoryNetwork::new();
        network.serve_all(answer);
        self.network(&network)
    }

    /// Lets the expectations of a [`Mock`] answer every request, in place of a connection. A request that none of
    /// them matches fails with [`Kind::Unexpected`](crate::error::Kind::Unexpected).
    ///
    /// ```
    /// use leanhttp::testing::{Mock, Reply};
    /// use leanhttp::{Client, Method};
    ///
    /// let mock = Mock::new();
    /// mock.expect(Method::GET, "https://api.example/users/*").respond(Reply::ok("Ada"));
    /// let client = Client::builder().mock(&mock).build()?;
    /// assert_eq!(client.get("https://api.example/users/7").send()?.text()?, "Ada");
    /// mock.verify();
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn mock(self, mock: &Mock) -> Self {
        let mock = mock.answerer();
        self.answer_with(move |request| mock.answer(request))
    }

    /// Puts the client on a network in memory. It opens no socket then and looks no name up. Proxies of the
    /// environment are not used, nor those that were set before; one that is set later has to be a server of the
    /// network.
    ///
    /// ```
    /// use leanhttp::Client;
    /// use leanhttp::testing::{MemoryNetwork, Reply};
    ///
    /// let network = MemoryNetwork::new();
    /// network.serve("http://api.example", |_| Reply::ok("hello").cut_after(2))?;
    /// let client = Client::builder().network(&network).build()?;
    /// let error = client.get("http://api.example/").send()?.text().unwrap_err();
    /// assert_eq!(error.kind(), leanhttp::error::Kind::Truncated);
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn network(mut self, network: &MemoryNetwork) -> Self {
        self.runtime = Some(Testable::on(network));
        self.no_proxy()
    }
}
