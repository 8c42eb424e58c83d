// review: asks Kyverno's engine what its webhook is asked. Kyverno's command line knows no subresources, and on an update takes the new
// object for the old one as well; this hands whole AdmissionReviews to the same engine.
//
//	review POLICIES SETTINGS NAMESPACES REVIEWS
//
// POLICIES is a YAML file with ValidatingPolicies, SETTINGS one of what they may look up, NAMESPACES one of the
// namespaces with their labels, REVIEWS a folder of AdmissionReviews (NUMBER.json). Prints a line of JSON a review: its number, and for
// each validating policy that does not let it pass the name, the message and whether it refuses.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	policiesv1 "github.com/kyverno/api/api/policies.kyverno.io/v1"
	policiesv1beta1 "github.com/kyverno/api/api/policies.kyverno.io/v1beta1"
	celengine "github.com/kyverno/kyverno/pkg/cel/engine"
	"github.com/kyverno/kyverno/pkg/cel/libs"
	"github.com/kyverno/kyverno/pkg/cel/matching"
	vpolcompiler "github.com/kyverno/kyverno/pkg/cel/policies/vpol/compiler"
	vpolengine "github.com/kyverno/kyverno/pkg/cel/policies/vpol/engine"
	engineapi "github.com/kyverno/kyverno/pkg/engine/api"
	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
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

// documents decodes each document of a YAML file into a new T, and hands it over with its kind.
func documents[T any](path string, each func(kind string, document *T) error) error {
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
		document := new(T)
		if err := json.Unmarshal(raw, document); err != nil {
			return fmt.Errorf("%s: %s: %w", path, head.Kind, err)
		}
		if err := each(head.Kind, document); err != nil {
			return err
		}
	}
}

func validatingEngine(policies, settings, namespaces string) (vpolengine.Engine, *libs.FakeContextProvider, error) {
	var wanted []policiesv1beta1.ValidatingPolicyLike
	known := map[string]*corev1.Namespace{}
	lookups := libs.NewFakeContextProvider()

	err := documents(policies, func(kind string, policy *policiesv1.ValidatingPolicy) error {
		if kind == "ValidatingPolicy" {
			converted := &policiesv1beta1.ValidatingPolicy{}
			text, err := json.Marshal(policy)
			if err != nil {
				return err
			}
			if err := json.Unmarshal(text, converted); err != nil {
				return err
			}
			wanted = append(wanted, converted)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if len(wanted) == 0 {
		return nil, nil, fmt.Errorf("%s has no ValidatingPolicy", policies)
	}
	err = documents(settings, func(kind string, settings *corev1.ConfigMap) error {
		return lookups.AddResource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}, settings)
	})
	if err != nil {
		return nil, nil, err
	}
	err = documents(namespaces, func(kind string, namespace *corev1.Namespace) error {
		known[namespace.Name] = namespace
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	// Compiled expressions look things up in what is here at that time, not in what comes with a request.
	libs.LibraryContext = lookups
	provider, err := vpolengine.NewProvider(vpolcompiler.NewCompiler(), wanted, nil)
	if err != nil {
		return nil, nil, err
	}
	return vpolengine.NewEngine(provider, func(name string) *corev1.Namespace { return known[name] }, matching.NewMatcher()), lookups, nil
}

func run(policies, settings, namespaces, reviews string) error {
	engine, lookups, err := validatingEngine(policies, settings, namespaces)
	if err != nil {
		return err
	}
	paths, err := filepath.Glob(filepath.Join(reviews, "*.json"))
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var review admissionv1.AdmissionReview
		if err := json.Unmarshal(text, &review); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		response, err := engine.Handle(context.Background(), celengine.RequestFromAdmission(lookups, *review.Request), nil)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		line := struct {
			Number  string   `json:"number"`
			Answers []answer `json:"answers"`
		}{strings.TrimSuffix(filepath.Base(path), ".json"), answersOf(response)}
		if err := out.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

func answersOf(response celengine.EngineResponse) []answer {
	answers := []answer{}
	for _, policy := range response.Policies {
		for _, rule := range policy.Rules {
			if rule.Status() == engineapi.RuleStatusFail || rule.Status() == engineapi.RuleStatusError {
				answers = append(answers, answer{policy.Policy.GetName(), rule.Message(), policy.Actions.Has(admissionregistrationv1.Deny)})
			}
		}
	}
	return answers
}
