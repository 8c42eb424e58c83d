package main

import (
	"context"
	"encoding/json"

	policiesv1 "github.com/kyverno/api/api/policies.kyverno.io/v1"
	policiesv1beta1 "github.com/kyverno/api/api/policies.kyverno.io/v1beta1"
	celengine "github.com/kyverno/kyverno/pkg/cel/engine"
	"github.com/kyverno/kyverno/pkg/cel/matching"
	vpolcompiler "github.com/kyverno/kyverno/pkg/cel/policies/vpol/compiler"
	vpolengine "github.com/kyverno/kyverno/pkg/cel/policies/vpol/engine"
	engineapi "github.com/kyverno/kyverno/pkg/engine/api"
	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
)

// The engine knows the kinds of v1 by those of v1beta1.
func converted(from, to any) error {
	text, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, to)
}

func newValidating(policies string, around *surroundings) (engine, error) {
	var wanted []policiesv1beta1.ValidatingPolicyLike

	err := documents(policies, "ValidatingPolicy", func(policy *policiesv1.ValidatingPolicy) error {
		older := &policiesv1beta1.ValidatingPolicy{}
		wanted = append(wanted, older)
		return converted(policy, older)
	})
	if err != nil || len(wanted) == 0 {
		return nil, err
	}
	provider, err := vpolengine.NewProvider(vpolcompiler.NewCompiler(), wanted, nil)
	if err != nil {
		return nil, err
	}
	validating := vpolengine.NewEngine(provider, func(name string) *corev1.Namespace { return around.namespaces[name] }, matching.NewMatcher())
	return func(request admissionv1.AdmissionRequest) ([]answer, map[string]any, error) {
		response, err := validating.Handle(context.Background(), celengine.RequestFromAdmission(around.lookups, request), nil)
		if err != nil {
			return nil, nil, err
		}
		answers := []answer{}
		for _, policy := range response.Policies {
			refuses := policy.Actions.Has(admissionregistrationv1.Deny)
			answers = append(answers, failed(policy.Policy.GetName(), refuses, policy.Rules)...)
		}
		return answers, nil, nil
	}, nil
}

// Those rules that did not let something pass.
func failed(policy string, refuses bool, rules []engineapi.RuleResponse) []answer {
	answers := []answer{}
	for _, rule := range rules {
		if rule.Status() == engineapi.RuleStatusFail || rule.Status() == engineapi.RuleStatusError {
			answers = append(answers, answer{policy, rule.Message(), refuses})
		}
	}
	return answers
}
