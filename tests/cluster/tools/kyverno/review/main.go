// review: asks Kyverno's engine what its webhook is asked. Kyverno's command line knows no subresources, and on an update takes the new
// object for the old one as well; this hands whole AdmissionReviews to the same engine.
//
//	review POLICIES SETTINGS NAMESPACES REVIEWS
//
// POLICIES is a YAML file with ValidatingPolicies, MutatingPolicies and ClusterPolicies, SETTINGS one of what they may look up, NAMESPACES
// one of the namespaces with their labels, REVIEWS a folder of AdmissionReviews (NUMBER.json). Prints a line of JSON a review: its number, for
// each policy that does not let it pass the name, the message and whether it refuses, and the object where a policy changes it.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/kyverno/kyverno/pkg/cel/libs"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// One policy's answer to one review.
type answer struct {
	Policy  string `json:"policy"`
	Message string `json:"message"`
	Refused bool   `json:"refused"`
}

// What is there beside the policies: the one ConfigMap that they read, and namespaces with their labels.
type surroundings struct {
	lookups    *libs.FakeContextProvider
	settings   *corev1.ConfigMap
	namespaces map[string]*corev1.Namespace
}

// One kind of policies. The second value is the object as they change it; nil: they don't.
type engine func(request admissionv1.AdmissionRequest) ([]answer, map[string]any, error)

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: review POLICIES SETTINGS NAMESPACES REVIEWS")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, "review:", err)
		os.Exit(1)
	}
}

// documents decodes each document of a YAML file into a new T, and hands it over; only those of that kind, unless it is "".
func documents[T any](path, kind string, each func(document *T) error) error {
	file, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(file), 4096)
	for {
		var raw json.RawMessage
		if err := decoder.Decode(&raw); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		var head struct{ Kind string }
		if err := json.Unmarshal(raw, &head); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if kind != "" && head.Kind != kind {
			continue
		}
		document := new(T)
		if err := json.Unmarshal(raw, document); err != nil {
			return fmt.Errorf("%s: %s: %w", path, head.Kind, err)
		}
		if err := each(document); err != nil {
			return err
		}
	}
}

func newSurroundings(settings, namespaces string) (*surroundings, error) {
	around := &surroundings{lookups: libs.NewFakeContextProvider(), namespaces: map[string]*corev1.Namespace{}}
	err := documents(settings, "ConfigMap", func(settings *corev1.ConfigMap) error {
		around.settings = settings
		return around.lookups.AddResource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}, settings)
	})
	if err != nil {
		return nil, err
	}
	err = documents(namespaces, "", func(namespace *corev1.Namespace) error {
		around.namespaces[namespace.Name] = namespace
		return nil
	})
	// Compiled expressions look things up in what is here at that time, not in what comes with a request.
	libs.LibraryContext = around.lookups
	return around, err
}

func newEngines(policies string, around *surroundings) ([]engine, error) {
	engines := []engine{}
	for _, make := range []func(string, *surroundings) (engine, error){newValidating, newMutating, newLegacy} {
		engine, err := make(policies, around)
		if err != nil {
			return nil, err
		}
		if engine != nil {
			engines = append(engines, engine)
		}
	}
	if len(engines) == 0 {
		return nil, fmt.Errorf("%s has no policies", policies)
	}
	return engines, nil
}

func run(policies, settings, namespaces, reviews string) error {
	around, err := newSurroundings(settings, namespaces)
	if err != nil {
		return err
	}
	engines, err := newEngines(policies, around)
	if err != nil {
		return err
	}
	paths, err := filepath.Glob(filepath.Join(reviews, "*.json"))
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	for _, path := range paths {
		if err := ask(engines, path, out); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

func ask(engines []engine, path string, out *json.Encoder) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var review admissionv1.AdmissionReview
	if err := json.Unmarshal(text, &review); err != nil {
		return err
	}
	line := struct {
		Number  string         `json:"number"`
		Answers []answer       `json:"answers"`
		Object  map[string]any `json:"object,omitempty"`
	}{Number: strings.TrimSuffix(filepath.Base(path), ".json"), Answers: []answer{}}
	for _, engine := range engines {
		answers, object, err := engine(*review.Request)
		if err != nil {
			return err
		}
		line.Answers = append(line.Answers, answers...)
		if object != nil {
			line.Object = object
		}
	}
	return out.Encode(line)
}
