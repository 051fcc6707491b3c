//! `multipart/form-data` bodies of requests.

use http::header;

use super::RequestBuilder;
use crate::body::multipart::form::Form;
use crate::driver::runtime::Runtime;

impl<F: Runtime> RequestBuilder<F> {
    /// Sets the body to a form of fields and files, which is streamed. Its `Content-Type`, which names
    /// the boundary, replaces any other. If another multipart type is set afterwards, the boundary is
    /// added to it.
    ///
    /// ```no_run
    /// use leanhttp::multipart::Form;
    ///
    /// let form = Form::new().text("title", "My cat").file("photo", "cat.jpg")?;
    /// leanhttp::Client::new().post("https://example.org/upload").multipart(form).send()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn multipart(self, multipart: Form<F::Source>) -> Self {
        self.and(|request| {
            let (content_type, body) = multipart.into_body()?;
            request.set_body(body);
            request.form_type = Some(Box::new(content_type.clone()));
            request.set_header(header::CONTENT_TYPE, content_type)
        })
    }
}
