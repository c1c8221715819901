package memory

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"
)

// Embedder makes the vectors of texts: those of texts that mean the same are
// close to each other.
type Embedder interface {
	// Name tells the model: vectors of different ones cannot be compared.
	Name() string
	// Embed returns a vector for each text.
	Embed(ctx context.Context, texts []string) ([][]float32, error)
}

const (
	embedBatch = 64
	embedTime  = 800 * time.Millisecond // for that of a query
	embedPause = time.Minute            // without vectors, after the provider has failed
	maxVector  = 8192                   // numbers
)

// hash is what an entry says, case and the last punctuation aside.
type hash [16]byte

func hashOf(text string) hash {
	sum := sha256.Sum256([]byte(normal(text)))
	return hash(sum[:])
}

// vectors are those of the entries, in memory. The Store's lock guards them.
type vectors struct {
	embedder Embedder // nil: there are none
	paused   time.Time
	told     bool // the log knows that the provider fails

	stale   bool               // the index has changed since they were read
	missing bool               // an entry may have none
	version int64              // of the index, as other processes change it
	known   map[hash][]float32 // of length 1
	entries []embedded         // what is searched
}

// embedded is an entry with its vector.
type embedded struct {
	id     int64
	hash   hash
	vector []float32 // nil: not made yet
}

// SetEmbedder lets searches find what means the same in other words, too; nil:
// not any more. The vectors are made by Fill.
func (s *Store) SetEmbedder(e Embedder) {
	_ = s.lock(context.Background()) // which never ends
	defer s.unlock()
	if s.vectors.embedder != nil && e != nil && s.vectors.embedder.Name() == e.Name() {
		s.vectors.embedder = e
		return
	}
	s.vectors = vectors{embedder: e, stale: true, missing: true}
}

// Fill makes the vectors that are missing, and forgets those of entries that
// are gone. It blocks while the provider is asked; an error of the provider's
// is logged, once, and no error.
func (s *Store) Fill(ctx context.Context) error {
	var after hash
	for {
		e, texts, err := s.unembedded(ctx, after)
		if err != nil || len(texts) == 0 {
			return err
		}
		made, err := e.Embed(ctx, texts)
		if err == nil && len(made) != len(texts) {
			err = fmt.Errorf("%d vectors for %d texts", len(made), len(texts))
		}
		if s.embedFailed(ctx, err) {
			return ctx.Err()
		}
		if err := s.keep(ctx, e, texts, made); err != nil {
			return err
		}
		after = hashOf(texts[len(texts)-1])
	}
}

// unembedded returns some of the texts without a vector, in the order of their
// hashes.
func (s *Store) unembedded(ctx context.Context, after hash) (e Embedder, texts []string, err error) {
	if err := s.lock(ctx); err != nil {
		return nil, nil, err
	}
	defer s.unlock()
	v := &s.vectors
	if v.embedder == nil || time.Now().Before(v.paused) {
		return nil, nil, nil
	}
	err = s.with(ctx, func(ix *index) error {
		texts = nil
		if err := v.notice(ctx, ix); err != nil || !v.missing {
			return err
		}
		texts, err = ix.unembedded(ctx, v.embedder.Name(), after, embedBatch)
		if err != nil || len(texts) > 0 || after != (hash{}) {
			return err // those that came meanwhile are for the next time
		}
		v.missing = false
		_, err = ix.db.ExecContext(ctx, `DELETE FROM vectors WHERE model != ? OR hash NOT IN (SELECT hash FROM entries)`, v.embedder.Name())
		return err
	})
	return v.embedder, texts, err
}

// notice looks whether another process has changed the index.
func (v *vectors) notice(ctx context.Context, ix *index) error {
	var version int64
	if err := ix.db.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&version); err != nil {
		return err
	}
	if version != v.version {
		v.version, v.stale, v.missing = version, true, true
	}
	return nil
}

func (ix *index) unembedded(ctx context.Context, model string, after hash, limit int) (texts []string, err error) {
	rows, err := ix.db.QueryContext(ctx, `SELECT min(text) FROM entries AS e
		WHERE hash > ? AND NOT EXISTS (SELECT 1 FROM vectors AS v WHERE v.hash = e.hash AND v.model = ?)
		GROUP BY hash ORDER BY hash LIMIT ?`, after[:], model, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, rows.Err()
}

// keep stores vectors in the index.
func (s *Store) keep(ctx context.Context, e Embedder, texts []string, made [][]float32) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.unlock()
	s.vectors.stale = true
	return s.with(ctx, func(ix *index) error {
		return ix.update(ctx, func(u *update) error {
			for i, text := range texts {
				h := hashOf(text)
				_, err := u.tx.ExecContext(ctx, `INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)`, h[:], e.Name(), pack(unit(made[i])))
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// embedFailed says whether the provider failed, and lets it rest if so.
func (s *Store) embedFailed(ctx context.Context, err error) bool {
	if s.lock(ctx) != nil {
		return true
	}
	defer s.unlock()
	v := &s.vectors
	if err == nil {
		v.told = false
		return false
	}
	if ctx.Err() == nil {
		v.paused = time.Now().Add(embedPause)
		if !v.told {
			s.logger.Warn("embeddings cannot be made, the memory is searched by words", "err", err)
		}
		v.told = true
	}
	return true
}

// vectorOf returns the vector of a query; nil where there is none to be had.
func (s *Store) vectorOf(ctx context.Context, query string) []float32 {
	if s.lock(ctx) != nil {
		return nil
	}
	e, rests := s.vectors.embedder, time.Now().Before(s.vectors.paused)
	s.unlock()
	if e == nil || rests || len(words(query, false)) == 0 {
		return nil
	}
	call, cancel := context.WithTimeout(ctx, embedTime)
	defer cancel()
	made, err := e.Embed(call, []string{cutTo(query, maxEntry)})
	if err == nil && (len(made) != 1 || len(made[0]) > maxVector) {
		err = fmt.Errorf("%d vectors for a query", len(made))
	}
	if s.embedFailed(ctx, err) {
		return nil
	}
	return unit(made[0])
}

// near is an entry, and how close it is to a query.
type near struct {
	id     int64
	cosine float64
	// stands says by how many standard deviations it is closer than the
	// entries are on average: what a cosine means depends on the model.
	stands float64
}

// nearest returns the entries that are closest to a vector, the closest first.
func (s *Store) nearest(ctx context.Context, ix *index, to []float32, limit int) ([]near, error) {
	if err := s.vectors.load(ctx, ix); err != nil {
		return nil, err
	}
	var list []near // the closest so far, sorted
	var n, sum, squares float64
	for _, e := range s.vectors.entries {
		if len(e.vector) != len(to) {
			continue
		}
		c := dot(e.vector, to)
		n, sum, squares = n+1, sum+c, squares+c*c
		if len(list) == limit && c <= list[limit-1].cosine {
			continue
		}
		at, _ := slices.BinarySearchFunc(list, c, func(n near, c float64) int { return cmp.Compare(c, n.cosine) })
		list = slices.Insert(list, at, near{id: e.id, cosine: c})
		list = list[:min(limit, len(list))]
	}
	mean := sum / max(n, 1)
	deviation := math.Sqrt(max(squares/max(n, 1)-mean*mean, 1e-12))
	for i := range list {
		list[i].stands = (list[i].cosine - mean) / deviation
	}
	return list, nil
}

// load reads what has changed since the vectors were read.
func (v *vectors) load(ctx context.Context, ix *index) error {
	if err := v.notice(ctx, ix); err != nil || !v.stale {
		return err
	}
	rows, err := ix.db.QueryContext(ctx, `SELECT id, hash FROM entries`)
	if err != nil {
		return err
	}
	v.entries = v.entries[:0]
	wanted := map[hash]bool{}
	err = each(rows, func() error {
		var id int64
		var h []byte
		err := rows.Scan(&id, &h)
		if err == nil && len(h) == len(hash{}) {
			v.entries = append(v.entries, embedded{id: id, hash: hash(h)})
			wanted[hash(h)] = true
		}
		return err
	})
	if err != nil {
		return err
	}
	known := make(map[hash][]float32, len(wanted))
	for h := range wanted {
		if have := v.known[h]; have != nil {
			known[h] = have
		}
	}
	if len(known) < len(wanted) {
		if err := v.read(ctx, ix, wanted, known); err != nil {
			return err
		}
	}
	for i, e := range v.entries {
		v.entries[i].vector = known[e.hash]
	}
	v.known, v.stale = known, false
	return nil
}

// read adds the vectors that are wanted and not known.
func (v *vectors) read(ctx context.Context, ix *index, wanted map[hash]bool, known map[hash][]float32) error {
	rows, err := ix.db.QueryContext(ctx, `SELECT hash, vector FROM vectors WHERE model = ?`, v.embedder.Name())
	if err != nil {
		return err
	}
	return each(rows, func() error {
		var h, packed sql.RawBytes
		err := rows.Scan(&h, &packed)
		if err == nil && len(h) == len(hash{}) && wanted[hash(h)] && known[hash(h)] == nil {
			known[hash(h)] = unpack(packed)
		}
		return err
	})
}

// each calls do for each row and closes them.
func each(rows *sql.Rows, do func() error) error {
	defer rows.Close()
	for rows.Next() {
		if err := do(); err != nil {
			return err
		}
	}
	return rows.Err()
}

// unit returns a vector of length 1.
func unit(v []float32) []float32 {
	length := 0.0
	for _, x := range v {
		length += float64(x) * float64(x)
	}
	out := make([]float32, len(v))
	if length = math.Sqrt(length); length == 0 || math.IsInf(length, 0) || math.IsNaN(length) {
		return out
	}
	for i, x := range v {
		out[i] = float32(float64(x) / length)
	}
	return out
}

func dot(a, b []float32) float64 {
	var s0, s1, s2, s3 float32
	n := len(a) &^ 3
	b = b[:len(a)]
	for i := 0; i < n; i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for i := n; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return float64(s0 + s1 + s2 + s3)
}

func pack(v []float32) []byte {
	out := make([]byte, 0, 4*len(v))
	for _, x := range v {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
	}
	return out
}

func unpack(data []byte) []float32 {
	v := make([]float32, len(data)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return v
}
