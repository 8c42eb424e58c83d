package main

import (
	"context"

	policiesv1 "github.com/kyverno/api/api/policies.kyverno.io/v1"
	policiesv1beta1 "github.com/kyverno/api/api/policies.kyverno.io/v1beta1"
	celengine "github.com/kyverno/kyverno/pkg/cel/engine"
	"github.com/kyverno/kyverno/pkg/cel/matching"
	mpolcompiler "github.com/kyverno/kyverno/pkg/cel/policies/mpol/compiler"
	mpolengine "github.com/kyverno/kyverno/pkg/cel/policies/mpol/engine"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
)

// The schemas that an API server would tell: patches by JSON need none.
type noSchemas struct{}

func (noSchemas) GetTypeConverter(schema.GroupVersionKind) managedfields.TypeConverter {
	return managedfields.NewDeducedTypeConverter()
}

func newMutating(policies string, around *surroundings) (engine, error) {
	var wanted []policiesv1beta1.MutatingPolicyLike

	err := documents(policies, "MutatingPolicy", func(policy *policiesv1.MutatingPolicy) error {
		older := &policiesv1beta1.MutatingPolicy{}
		wanted = append(wanted, older)
		return converted(policy, older)
	})
	if err != nil || len(wanted) == 0 {
		return nil, err
	}
	provider, err := mpolengine.NewProvider(mpolcompiler.NewCompiler(), wanted, nil, around.lookups)
	if err != nil {
		return nil, err
	}
	mutating := mpolengine.NewEngine(provider, func(name string) *corev1.Namespace { return around.namespaces[name] }, matching.NewMatcher(),
		noSchemas{}, around.lookups)
	return func(request admissionv1.AdmissionRequest) ([]answer, map[string]any, error) {
		response, err := mutating.Handle(context.Background(), celengine.RequestFromAdmission(around.lookups, request), nil)
		if err != nil {
			return nil, nil, err
		}
		answers := []answer{}
		for _, policy := range response.Policies {
			answers = append(answers, failed(policy.Policy.GetName(), true, policy.Rules)...)
		}
		if response.PatchedResource == nil {
			return answers, nil, nil
		}
		return answers, response.PatchedResource.Object, nil
	}, nil
}
