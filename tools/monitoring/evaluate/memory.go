package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

// Scrape is what one target served at one time.
type Scrape struct {
	At     float64           `json:"at"`     // epoch seconds
	Labels map[string]string `json:"labels"` // of the target
	Honor  bool              `json:"honor"`  // honor_labels: the target's own labels give way
	File   string            `json:"file"`   // the text that it served; "" if it did not answer
}

// point is one sample; scrapes of text have no histograms of Prometheus's newer kind.
type point struct {
	at    int64
	value float64
}

func (p point) T() int64                      { return p.at }
func (p point) ST() int64                     { return 0 }
func (p point) F() float64                    { return p.value }
func (p point) H() *histogram.Histogram       { return nil }
func (p point) FH() *histogram.FloatHistogram { return nil }
func (p point) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (p point) Copy() chunks.Sample           { return p }

// memory holds all series. It is a storage to Prometheus's engine.
type memory struct {
	series map[uint64]*row
	rows   []*row
}

type row struct {
	labels labels.Labels
	points []chunks.Sample
}

// keep makes series of scrapes, which have to be in the order of their times. As Prometheus does,
// it ends a series that a target no longer serves, and makes `up`.
func keep(scrapes []Scrape) (*memory, error) {
	kept := &memory{series: map[uint64]*row{}}
	served := map[string]map[uint64]*row{}
	for _, scrape := range scrapes {
		target := labels.FromMap(scrape.Labels).String()
		now, millis := map[uint64]*row{}, int64(scrape.At*1000)
		up := 0.0
		if scrape.File != "" {
			if err := kept.read(scrape, millis, now); err != nil {
				return nil, err
			}
			up = 1
		}
		for hash, row := range served[target] {
			if _, still := now[hash]; !still {
				stale := math.Float64frombits(value.StaleNaN)
				row.points = append(row.points, point{millis, stale})
			}
		}
		served[target] = now
		name := labels.NewBuilder(labels.FromMap(scrape.Labels)).Set(labels.MetricName, "up").Labels()
		kept.add(name, point{millis, up})
	}
	slices.SortFunc(kept.rows, func(a, b *row) int { return labels.Compare(a.labels, b.labels) })
	return kept, nil
}

// read takes in the samples of one scrape, and notes which series it had.
func (m *memory) read(scrape Scrape, millis int64, now map[uint64]*row) error {
	text, err := os.ReadFile(scrape.File)
	if err != nil {
		return err
	}
	parser := textparse.NewPromParser(text, labels.NewSymbolTable(), false)
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s is no exposition of metrics: %w", scrape.File, err)
		}
		if entry != textparse.EntrySeries {
			continue
		}
		_, _, number := parser.Series()
		var own labels.Labels
		parser.Labels(&own)
		built := labels.NewBuilder(own)
		for name, text := range scrape.Labels {
			had := own.Get(name)
			if had != "" && scrape.Honor {
				continue
			}
			if had != "" {
				built.Set("exported_"+name, had)
			}
			built.Set(name, text)
		}
		row := m.add(built.Labels(), point{millis, number})
		now[row.labels.Hash()] = row
	}
}

func (m *memory) add(name labels.Labels, sample point) *row {
	found := m.series[name.Hash()]
	if found == nil {
		found = &row{labels: name}
		m.series[name.Hash()] = found
		m.rows = append(m.rows, found)
	}
	found.points = append(found.points, sample)
	return found
}

// Querier is the whole memory: the engine takes of each series what its times are.
func (m *memory) Querier(_, _ int64) (storage.Querier, error) {
	return querier{m}, nil
}

type querier struct{ *memory }

func (querier) Close() error { return nil }

func (querier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, errors.New("no query asks for the values of a label")
}

func (querier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, errors.New("no query asks for the names of labels")
}

// Select is the series that all matchers match, in the order of their labels.
func (q querier) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	found := &set{at: -1}
	for _, row := range q.rows {
		matches := func(m *labels.Matcher) bool { return !m.Matches(row.labels.Get(m.Name)) }
		if !slices.ContainsFunc(matchers, matches) {
			found.rows = append(found.rows, row)
		}
	}
	return found
}

type set struct {
	rows []*row
	at   int
}

func (s *set) Next() bool { s.at++; return s.at < len(s.rows) }
func (s *set) At() storage.Series {
	return storage.NewListSeries(s.rows[s.at].labels, s.rows[s.at].points)
}
func (s *set) Err() error                        { return nil }
func (s *set) Warnings() annotations.Annotations { return nil }

func finite(number float64) bool {
	return !math.IsNaN(number) && !math.IsInf(number, 0)
}
