package web

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/openclaw/openclaw-go"
)

// answer is what a server sent, as far as it was read.
type answer struct {
	url         *url.URL // after redirects
	status      int
	statusText  string
	contentType string // as the server says, or as its bytes look
	body        []byte // decompressed
	cut         bool   // there was more
}

// get fetches u and blocks until all of the answer that counts is read.
func (f *fetch) get(ctx context.Context, u *url.URL) (*answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", f.opts.UserAgent)
	req.Header.Set("Accept", "text/markdown, text/html;q=0.9, application/json;q=0.9, text/plain;q=0.8, */*;q=0.5")
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	a := &answer{
		url: resp.Request.URL, status: resp.StatusCode, statusText: resp.Status,
		contentType: resp.Header.Get("Content-Type"),
	}
	if err := a.checkType(resp); err != nil {
		return nil, err
	}
	// The transport undoes gzip; what counts is the size after that.
	a.body, err = io.ReadAll(io.LimitReader(resp.Body, f.opts.MaxBody+1))
	if err != nil && len(a.body) == 0 {
		return nil, err
	}
	// An answer that breaks off is still worth reading.
	a.cut = err != nil || int64(len(a.body)) > f.opts.MaxBody
	a.body = a.body[:min(int64(len(a.body)), f.opts.MaxBody)]
	return a, nil
}

// explain turns what went wrong into advice for the model. Only outer's own
// end stays as it is.
func (f *fetch) explain(outer, limited context.Context, u *url.URL, err error) error {
	host := u.Hostname()
	if outer.Err() != nil {
		return outer.Err()
	}
	if known, ok := errors.AsType[*openclaw.Error](err); ok {
		return known
	}
	advise := func(message string) error {
		return &openclaw.Error{Code: openclaw.CodeInternal, Message: message, Err: err}
	}
	if limited.Err() != nil {
		return advise(host + " took longer than " + seconds(f.opts.Timeout) + "; try once more or read another page")
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsNotFound {
			return advise("there is no host " + dns.Name + "; check how it is spelled")
		}
		return advise("the name " + dns.Name + " could not be looked up; the network may be down, try again later")
	}
	if isCertificate(err) {
		return advise("the certificate of " + host + " is not valid, so the page was not read; tell the owner")
	}
	return advise("no answer from " + host + ": the connection failed; check the url or try again later")
}

func isCertificate(err error) bool {
	_, verification := errors.AsType[*tls.CertificateVerificationError](err)
	_, host := errors.AsType[x509.HostnameError](err)
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	return verification || host || authority
}
