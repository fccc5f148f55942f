// Judges objects as Flux and as Argo CD do, with their own code.
//
// Reads a JSON list of objects from stdin and writes a list of judgements in the same order.
// The one argument is the file with Argo CD's settings (argocd-cm): they are read as Argo CD
// reads them, from a ConfigMap, so that a key or a text that it would not take shows here.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/argoproj/argo-cd/v3/common"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"github.com/argoproj/argo-cd/v3/util/settings"
	"github.com/argoproj/gitops-engine/pkg/health"
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/sirupsen/logrus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kubejson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/client-go/kubernetes/fake"
	"sigs.k8s.io/yaml"
)

const namespace = "argocd"

// verdict is what one of them says, in its own words.
type verdict struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

type judgement struct {
	Kstatus verdict `json:"kstatus"`
	ArgoCD  verdict `json:"argocd"`
}

func main() {
	logrus.SetOutput(io.Discard) // Argo CD tells of its watches
	if err := run(os.Args[1], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(path string, in io.Reader, out io.Writer) error {
	overrides, err := overridesOf(path)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	var bodies []any
	if err := kubejson.Unmarshal(text, &bodies); err != nil { // 1 is an integer to it
		return fmt.Errorf("stdin: %w", err)
	}
	found := []judgement{}
	for number, body := range bodies {
		one, err := judge(body.(map[string]any), overrides)
		if err != nil {
			return fmt.Errorf("object %d: %w", number, err)
		}
		found = append(found, one)
	}
	return json.NewEncoder(out).Encode(found)
}

// overridesOf returns the customizations of a file, through Argo CD's own reader.
func overridesOf(path string) (lua.ResourceHealthOverrides, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file corev1.ConfigMap
	if err := yaml.UnmarshalStrict(text, &file); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	file.ObjectMeta = metav1.ObjectMeta{
		Name:      common.ArgoCDConfigMapName,
		Namespace: namespace,
		Labels:    map[string]string{"app.kubernetes.io/part-of": "argocd"},
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: common.ArgoCDSecretName, Namespace: namespace},
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	manager := settings.NewSettingsManager(ctx, fake.NewClientset(&file, secret), namespace)
	return manager.GetResourceOverrides()
}

func judge(body map[string]any, overrides lua.ResourceHealthOverrides) (judgement, error) {
	object := &unstructured.Unstructured{Object: body}
	flux, err := status.Compute(object)
	if err != nil {
		return judgement{}, fmt.Errorf("kstatus: %w", err)
	}
	argo, err := health.GetResourceHealth(object, overrides)
	if err != nil {
		return judgement{}, fmt.Errorf("Argo CD: %w", err)
	}
	if argo == nil {
		return judgement{}, fmt.Errorf("Argo CD has no health script for a %s", object.GetKind())
	}
	return judgement{
		Kstatus: verdict{Status: flux.Status.String(), Message: flux.Message},
		ArgoCD:  verdict{Status: string(argo.Status), Message: argo.Message},
	}, nil
}
