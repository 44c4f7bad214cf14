package fakes

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// S3 is an object store in memory. It compares what is put with the checksum in the request, as others do. Its zero
// value behaves.
type S3 struct {
	Bucket string // that there is
	// Blind has a put write over an object although it is told not to.
	Blind bool
	// Lax has a put with another checksum be taken.
	Lax bool
	// Answers are given instead of the usual ones, by a parameter of the URL without value: "lifecycle".
	Answers map[string]string

	mu     sync.Mutex
	fault  S3Fault
	puts   int
	mended chan struct{}
}

// S3Fault is what goes wrong with requests.
type S3Fault string

// The faults. Those of puts let all else pass.
const (
	S3Hangs    S3Fault = "hangs"     // no request is answered
	S3SlowDown S3Fault = "slow down" // 503
	S3Busy     S3Fault = "busy"      // 503 to each put but every third
	S3Cuts     S3Fault = "cuts"      // the connection ends in the middle of a put
	S3Loses    S3Fault = "loses"     // an object is written, and the connection ends before the answer
	S3Denies   S3Fault = "denies"    // 403
	S3Breaks   S3Fault = "breaks"    // the connection ends in the middle of an object that is read
	S3Stalls   S3Fault = "stalls"    // a put is not read to its end, and not answered
	S3Tires    S3Fault = "tires"     // 503 to every third put
	S3Clings   S3Fault = "clings"    // 403 to whoever deletes
)

// Start returns the URL of a server that ends with the test.
func (s *S3) Start(t testing.TB) string {
	t.Helper()
	if s.Bucket == "" {
		s.Bucket = "mail"
	}
	backend := s3mem.New()
	if err := backend.CreateBucket(s.Bucket); err != nil {
		t.Fatal(err)
	}
	store := gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, store) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(func() { s.Fail(""); server.CloseClientConnections(); server.Close() })
	return server.URL
}

// Fail has requests fail; "" mends it. Requests that hang end then without an answer.
func (s *S3) Fail(f S3Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mended != nil {
		close(s.mended)
	}
	s.fault, s.mended = f, make(chan struct{})
}

// Puts returns how many puts there were.
func (s *S3) Puts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.puts
}

func (s *S3) now(put bool) (S3Fault, int, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if put {
		s.puts++
	}
	return s.fault, s.puts, s.mended
}

func (s *S3) serve(w http.ResponseWriter, r *http.Request, store http.Handler) {
	put := r.Method == http.MethodPut
	fault, n, mended := s.now(put)
	for name, answer := range s.Answers {
		if r.URL.Query().Has(name) {
			io.WriteString(w, answer)
			return
		}
	}
	switch {
	case fault == S3Hangs, fault == S3Stalls && put:
		<-mended
		panic(http.ErrAbortHandler)
	case fault == S3SlowDown, fault == S3Busy && put && n%3 != 0, fault == S3Tires && put && n%3 == 0:
		refuse(w, http.StatusServiceUnavailable, "SlowDown")
	case fault == S3Denies, fault == S3Clings && r.Method == http.MethodDelete:
		refuse(w, http.StatusForbidden, "AccessDenied")
	case fault == S3Cuts && put:
		io.CopyN(io.Discard, r.Body, 100)
		panic(http.ErrAbortHandler)
	case fault == S3Breaks && r.Method == http.MethodGet && strings.Contains(r.URL.Path, ".eml.gz"):
		s.breakOff(w, r, store)
	case put:
		s.put(w, r, store, fault)
	default:
		store.ServeHTTP(w, r)
	}
}

// put stores an object whose checksum is the one in the request.
func (s *S3) put(w http.ResponseWriter, r *http.Request, store http.Handler, fault S3Fault) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	sum := sha256.Sum256(body)
	if r.Header.Get("X-Amz-Content-Sha256") != hex.EncodeToString(sum[:]) && !s.Lax {
		refuse(w, http.StatusBadRequest, "XAmzContentSHA256Mismatch")
		return
	}
	if s.Blind {
		r.Header.Del("If-None-Match")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	store.ServeHTTP(answer, r)
	if fault == S3Loses {
		panic(http.ErrAbortHandler)
	}
	for key, values := range answer.Header() {
		w.Header()[key] = values
	}
	w.WriteHeader(answer.Code)
	w.Write(answer.Body.Bytes())
}

// breakOff gives half of an object.
func (s *S3) breakOff(w http.ResponseWriter, r *http.Request, store http.Handler) {
	answer := httptest.NewRecorder()
	store.ServeHTTP(answer, r)
	for key, values := range answer.Header() {
		w.Header()[key] = values
	}
	w.WriteHeader(answer.Code)
	w.Write(answer.Body.Bytes()[:answer.Body.Len()/2])
	panic(http.ErrAbortHandler)
}

// refuse answers with an error as S3 does.
func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>`+code+`</Code><Message>`+code+`</Message></Error>`)
}
