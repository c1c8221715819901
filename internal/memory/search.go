package memory

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// The bounds of a search: they keep its time in proportion to what is asked,
// not to what is remembered.
const (
	maxAsked   = 24  // different words of a query
	maxMatches = 256 // entries that are looked at for each word, the newest
	candidates = 100 // entries that are ranked by the forms of their words
)

// hit is an entry that was found.
type hit struct {
	row
	score float64 // the more the better
	meant bool    // its meaning is close, whatever its words
}

// search ranks entries by the words they share with the query; a rare word
// counts for more than a common one, another form of it for less than itself.
// A query without a word to look for finds the newest.
func (ix *index) search(ctx context.Context, query string, limit, total int) ([]hit, error) {
	asked := words(query, false)
	slices.Sort(asked)
	asked = slices.Compact(asked)
	if len(asked) == 0 {
		found, err := ix.newest.QueryContext(ctx, limit)
		rows, err := scanRows(found, err)
		return unranked(rows), err
	}
	slices.SortStableFunc(asked, func(a, b string) int { return cmp.Compare(len(b), len(a)) }) // long words say more
	asked = asked[:min(len(asked), maxAsked)]
	ids, err := ix.candidates(ctx, asked, total)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	rows, err := ix.rows(ctx, ids)
	if err != nil {
		return nil, err
	}
	hits := rank(rows, asked, total)
	return hits[:min(limit, len(hits))], nil
}

func unranked(rows []row) []hit {
	hits := make([]hit, len(rows))
	for i, r := range rows {
		hits[i].row = r
	}
	return hits
}

// candidates returns the entries that seem to share the most with the words.
func (ix *index) candidates(ctx context.Context, asked []string, total int) ([]int64, error) {
	scores := map[int64]float64{}
	add := func(weight float64, expression string) (n int, err error) {
		var list string // in one row: a row costs more than what is in it
		if err := ix.matches.QueryRowContext(ctx, expression, maxMatches).Scan(&list); err != nil {
			return 0, err
		}
		ids := strings.Fields(list)
		for _, text := range ids {
			id, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return 0, err
			}
			scores[id] += weight * rarity(total, len(ids))
		}
		return len(ids), nil
	}
	var common []string
	for _, w := range asked {
		n, err := add(1, `"`+w+`"`)
		if err != nil {
			return nil, err
		}
		if n == maxMatches {
			common = append(common, `"`+w+`"`)
			continue
		}
		if beginning := formsOf(w); beginning != "" {
			if _, err := add(0.5, `"`+beginning+`"*`); err != nil {
				return nil, err
			}
		}
	}
	// Of common words not every match was seen, but those that have several are
	// what is meant.
	if len(common) > 1 {
		if _, err := add(float64(len(common)), strings.Join(common, " AND ")); err != nil {
			return nil, err
		}
	}
	ids := slices.SortedFunc(maps.Keys(scores), func(a, b int64) int {
		return cmp.Or(cmp.Compare(scores[b], scores[a]), cmp.Compare(b, a))
	})
	return ids[:min(len(ids), candidates)], nil
}

// rarity is what it says about an entry that it has a word, which n of total
// have.
func rarity(total, n int) float64 { return math.Log(1 + float64(total)/float64(n+1)) }

// rows returns entries by their numbers.
func (ix *index) rows(ctx context.Context, ids []int64) ([]row, error) {
	var list strings.Builder
	for i, id := range ids {
		if i > 0 {
			list.WriteByte(',')
		}
		list.WriteString(strconv.FormatInt(id, 10))
	}
	found, err := ix.db.QueryContext(ctx, selectEntries+` WHERE id IN (`+list.String()+`)`)
	return scanRows(found, err)
}

// rank sorts entries by likeness to the words, and leaves out those that have
// none.
func rank(found []row, asked []string, total int) []hit {
	hits := unranked(found)
	have := make([][]string, len(found))
	for n, e := range found {
		have[n] = words(e.Text, true)
	}
	best := make([]float64, len(found))
	for _, w := range asked {
		matches := 0
		for n := range found {
			best[n] = 0
			for _, h := range have[n] {
				best[n] = max(best[n], likeness(w, h))
			}
			if best[n] > 0 {
				matches++
			}
		}
		rare := rarity(total, matches)
		for n, alike := range best {
			hits[n].score += alike * rare
		}
	}
	hits = slices.DeleteFunc(hits, func(h hit) bool { return h.score == 0 })
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(
			cmp.Compare(b.score, a.score), cmp.Compare(b.Date, a.Date),
			cmp.Compare(b.File, a.File), cmp.Compare(b.Line, a.Line), // a later line is newer
		)
	})
	return hits
}

const (
	fusedHits = 50 // of each kind that are merged
	// rankAdded softens the difference between the first ranks, as usual.
	rankAdded = 60
	// farOut is by how many standard deviations an entry must be closer to a
	// query than the entries are on average, or it has no more to do with it
	// than others; with fewer than fewEntries that says little, and closeBy
	// counts.
	farOut     = 2.5
	fewEntries = 20
	closeBy    = 0.5
)

// fused merges what is found by words with what is found by meaning, by their
// ranks: scores of different kinds cannot be compared. The score of each says
// how it was found by words.
func (s *Store) fused(ctx context.Context, ix *index, query string, meaning []float32, limit int) ([]hit, error) {
	hits, err := ix.search(ctx, query, fusedHits, s.counted)
	if err != nil {
		return nil, err
	}
	alike, err := s.nearest(ctx, ix, meaning, fusedHits)
	if err != nil {
		return nil, err
	}
	alike = slices.DeleteFunc(alike, func(n near) bool {
		return s.counted >= fewEntries && n.stands < farOut || s.counted < fewEntries && n.cosine < closeBy
	})
	ranks := map[int64]float64{}
	for i, h := range hits {
		ranks[h.id] += 1 / float64(rankAdded+i)
	}
	var ids []int64
	for i, n := range alike {
		if _, has := ranks[n.id]; !has {
			ids = append(ids, n.id)
		}
		ranks[n.id] += 1 / float64(rankAdded+i)
	}
	rows, err := ix.rows(ctx, ids)
	hits = append(hits, unranked(rows)...)
	for i := range hits {
		hits[i].meant = slices.ContainsFunc(alike, func(n near) bool { return n.id == hits[i].id })
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(ranks[b.id], ranks[a.id]) })
	return hits[:min(limit, len(hits))], err
}
