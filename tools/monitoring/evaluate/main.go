// Command evaluate answers PromQL queries and rule files over scrapes that somebody has kept.
//
// It reads a request (JSON) from standard input and writes an answer to standard output. Queries,
// rule files and templates go through Prometheus's own packages, so what they accept is what a
// Prometheus accepts. Its storage is replaced by memory, and its clock by the times of the scrapes:
// an alert `for: 1h` needs no hour.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

// Request is what is asked.
type Request struct {
	Scrapes []Scrape `json:"scrapes"`
	Queries []Query  `json:"queries"`
	Rules   string   `json:"rules"` // the text of a rule file; "" for none
	Start   float64  `json:"start"` // of the rules' evaluation, in epoch seconds
	End     float64  `json:"end"`
	Step    float64  `json:"step"`
}

// Query is one expression over a range of time.
type Query struct {
	ID    string  `json:"id"`
	Expr  string  `json:"expr"`
	Start float64 `json:"start"`
	End   float64 `json:"end"`
	Step  float64 `json:"step"`
}

// Series is one line of a query's answer.
type Series struct {
	Labels map[string]string `json:"labels"`
	Values [][2]float64      `json:"values"`
}

// Answer is what a query has given: an error or its series.
type Answer struct {
	ID     string   `json:"id"`
	Error  string   `json:"error,omitempty"`
	Series []Series `json:"series"`
}

// Reply is what is answered.
type Reply struct {
	Queries []Answer `json:"queries"`
	Alerts  []Alert  `json:"alerts"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var request Request
	decoder := json.NewDecoder(os.Stdin)
	decoder.DisallowUnknownFields() // what is misspelt would be left out without a word
	if err := decoder.Decode(&request); err != nil {
		return fmt.Errorf("the request cannot be read: %w", err)
	}
	kept, err := keep(request.Scrapes)
	if err != nil {
		return err
	}
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples:    50_000_000,
		Timeout:       2 * time.Minute,
		LookbackDelta: 5 * time.Minute,
		Parser:        parser.NewParser(parser.Options{}),
	})
	reply := Reply{Queries: []Answer{}, Alerts: []Alert{}}
	for _, query := range request.Queries {
		reply.Queries = append(reply.Queries, ask(engine, kept, query))
	}
	if request.Rules != "" {
		if reply.Alerts, err = watch(engine, kept, request); err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(reply)
}

// ask answers one query. Points that are no number JSON can hold are left out.
func ask(engine *promql.Engine, kept *memory, query Query) Answer {
	answer := Answer{ID: query.ID, Series: []Series{}}
	step := time.Duration(query.Step * float64(time.Second))
	ctx := context.Background()
	asked, err := engine.NewRangeQuery(ctx, kept, nil, query.Expr, at(query.Start), at(query.End), step)
	if err != nil {
		answer.Error = err.Error()
		return answer
	}
	defer asked.Close()
	result := asked.Exec(ctx)
	matrix, err := result.Matrix()
	if err := errors.Join(err, doubts(result)); err != nil {
		answer.Error = err.Error()
		return answer
	}
	for _, each := range matrix {
		series := Series{Labels: each.Metric.Map(), Values: [][2]float64{}}
		for _, point := range each.Floats {
			if finite(point.F) {
				series.Values = append(series.Values, [2]float64{float64(point.T) / 1000, point.F})
			}
		}
		if len(series.Values) > 0 {
			answer.Series = append(answer.Series, series)
		}
	}
	return answer
}

// doubts is what Prometheus says of a query that it answers all the same, such as a rate of what is
// no counter.
func doubts(result *promql.Result) error {
	return errors.Join(result.Warnings.AsErrors()...)
}

func at(seconds float64) time.Time {
	return time.UnixMilli(int64(seconds * 1000)).UTC()
}
