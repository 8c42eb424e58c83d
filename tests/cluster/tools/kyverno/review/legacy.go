package main

import (
	"context"
	"errors"
	"io"

	kyvernov1 "github.com/kyverno/kyverno/api/kyverno/v1"
	kyvernov2 "github.com/kyverno/kyverno/api/kyverno/v2"
	"github.com/kyverno/kyverno/pkg/config"
	kyvernoengine "github.com/kyverno/kyverno/pkg/engine"
	engineapi "github.com/kyverno/kyverno/pkg/engine/api"
	"github.com/kyverno/kyverno/pkg/engine/factories"
	"github.com/kyverno/kyverno/pkg/engine/jmespath"
	"github.com/kyverno/kyverno/pkg/engine/policycontext"
	imageverifycache "github.com/kyverno/kyverno/pkg/image/verification/cache"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var errNoCluster = errors.New("there is no cluster to ask")

// In place of a cluster: what is around, and nothing else.
type cluster struct{ around *surroundings }

func (c cluster) GetResource(_ context.Context, apiVersion, kind, namespace, name string, _ ...string) (*unstructured.Unstructured, error) {
	settings := c.around.settings
	if apiVersion != "v1" || kind != "ConfigMap" || namespace != settings.Namespace || name != settings.Name {
		return nil, errNoCluster
	}
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(settings)
	return &unstructured.Unstructured{Object: object}, err
}

func (c cluster) GetNamespace(_ context.Context, name string, _ metav1.GetOptions) (*corev1.Namespace, error) {
	if namespace := c.around.namespaces[name]; namespace != nil {
		return namespace, nil
	}
	return nil, errNoCluster
}

func (cluster) IsNamespaced(_, _, kind string) (bool, error) { return kind != "Namespace", nil }

func (cluster) ListResource(context.Context, string, string, string, *metav1.LabelSelector) (*unstructured.UnstructuredList, error) {
	return nil, errNoCluster
}

func (cluster) GetResources(context.Context, string, string, string, string, string, string, *metav1.LabelSelector) ([]engineapi.Resource, error) {
	return nil, errNoCluster
}

func (cluster) RawAbsPath(context.Context, string, string, io.Reader) ([]byte, error) {
	return nil, errNoCluster
}

func (cluster) CanI(context.Context, string, string, string, string, string) (bool, string, error) {
	return false, "", errNoCluster
}

func newLegacy(policies string, around *surroundings) (engine, error) {
	var wanted []*kyvernov1.ClusterPolicy

	err := documents(policies, "ClusterPolicy", func(policy *kyvernov1.ClusterPolicy) error {
		wanted = append(wanted, policy)
		return nil
	})
	if err != nil || len(wanted) == 0 {
		return nil, err
	}
	settings := config.NewDefaultConfiguration(false)
	words := jmespath.New(settings)
	asked := kyvernoengine.NewEngine(settings, words, cluster{around}, nil, imageverifycache.DisabledImageVerifyCache(),
		factories.DefaultContextLoaderFactory(nil), nil, nil)
	return func(request admissionv1.AdmissionRequest) ([]answer, map[string]any, error) {
		who := kyvernov2.RequestInfo{AdmissionUserInfo: request.UserInfo}
		about, err := policycontext.NewPolicyContextFromAdmissionRequest(words, request, who, schema.GroupVersionKind(request.Kind), settings)
		if err != nil {
			return nil, nil, err
		}
		about = about.WithNamespaceLabels(around.namespaces[request.Namespace].Labels)
		answers := []answer{}
		for _, policy := range wanted {
			response := asked.Validate(context.Background(), about.WithPolicy(policy))
			refuses := response.GetValidationFailureAction().Enforce()
			answers = append(answers, failed(policy.Name, refuses, response.PolicyResponse.Rules)...)
		}
		return answers, nil, nil
	}, nil
}
