package main

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/template"
)

// Alert is one that has begun to fire: as often as it did.
type Alert struct {
	Name        string            `json:"name"`
	At          float64           `json:"at"` // epoch seconds
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

// watch evaluates all rules at each step, and tells each alert that begins to fire. The pending
// time is counted as Prometheus counts it: from the first evaluation with a result, until one
// without.
func watch(engine *promql.Engine, kept *memory, request Request) ([]Alert, error) {
	read := parser.NewParser(parser.Options{})
	groups, wrong := rulefmt.Parse([]byte(request.Rules), false, model.UTF8Validation, read, slog.Default())
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	fired := []Alert{}
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			found, err := follow(engine, kept, rule, request)
			if err != nil {
				return nil, err
			}
			fired = append(fired, found...)
		}
	}
	return fired, nil
}

// follow evaluates one rule over the whole time.
func follow(engine *promql.Engine, kept *memory, rule rulefmt.Rule, request Request) ([]Alert, error) {
	fired := []Alert{}
	since, told := map[uint64]time.Time{}, map[uint64]bool{}
	for now := request.Start; now <= request.End; now += request.Step {
		when := at(now)
		found, err := query(engine, kept, rule.Expr, when)
		if err != nil {
			return nil, err
		}
		seen := map[uint64]bool{}
		for _, sample := range found {
			name := sample.Metric.Hash()
			seen[name] = true
			if _, pending := since[name]; !pending {
				since[name] = when
			}
			if told[name] || when.Sub(since[name]) < time.Duration(rule.For) {
				continue
			}
			told[name] = true
			alert, err := tell(rule, sample, when)
			if err != nil {
				return nil, err
			}
			fired = append(fired, alert)
		}
		for name := range since {
			if !seen[name] {
				delete(since, name)
				delete(told, name)
			}
		}
	}
	return fired, nil
}

// tell writes the labels and annotations of an alert with the values that it fires for.
func tell(rule rulefmt.Rule, sample promql.Sample, when time.Time) (Alert, error) {
	alert := Alert{
		Name:        rule.Alert,
		At:          float64(when.UnixMilli()) / 1000,
		Labels:      labels.NewBuilder(sample.Metric).Del(labels.MetricName).Labels().Map(),
		Annotations: map[string]string{},
	}
	data := template.AlertTemplateData(alert.Labels, nil, "", sample)
	expand := func(text string) (string, error) {
		head := "{{$labels := .Labels}}{{$value := .Value}}"
		return template.NewTemplateExpander(
			context.Background(), strings.Join([]string{head, text}, ""), rule.Alert, data,
			model.TimeFromUnixNano(when.UnixNano()), nil, &url.URL{}, nil,
		).Expand()
	}
	for name, text := range rule.Annotations {
		said, err := expand(text)
		if err != nil {
			return alert, err
		}
		alert.Annotations[name] = said
	}
	for name, text := range rule.Labels {
		said, err := expand(text)
		if err != nil {
			return alert, err
		}
		alert.Labels[name] = said
	}
	return alert, nil
}

// query is the answer to an expression at one time, in a steady order.
func query(engine *promql.Engine, kept *memory, expr string, when time.Time) (promql.Vector, error) {
	ctx := context.Background()
	asked, err := engine.NewInstantQuery(ctx, kept, nil, expr, when)
	if err != nil {
		return nil, err
	}
	defer asked.Close()
	result := asked.Exec(ctx)
	if err := errors.Join(result.Err, doubts(result)); err != nil {
		return nil, err
	}
	switch value := result.Value.(type) {
	case promql.Vector:
		found := slices.Clone(value)
		slices.SortFunc(found, func(a, b promql.Sample) int { return labels.Compare(a.Metric, b.Metric) })
		return found, nil
	case promql.Scalar:
		return promql.Vector{{T: value.T, F: value.V}}, nil
	default:
		return nil, errors.New(expr + " is neither a vector nor a scalar")
	}
}
