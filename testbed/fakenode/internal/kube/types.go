package kube

import "coroner/testbed/fakenode/internal/play"

// Meta is the part of an object's metadata that is used here.
type Meta struct {
	Name              string            `json:"name,omitempty"`
	GenerateName      string            `json:"generateName,omitempty"`
	Namespace         string            `json:"namespace,omitempty"`
	UID               string            `json:"uid,omitempty"`
	ResourceVersion   string            `json:"resourceVersion,omitempty"`
	DeletionTimestamp string            `json:"deletionTimestamp,omitempty"`
	Labels            map[string]string `json:"labels,omitempty"`
	Annotations       map[string]string `json:"annotations,omitempty"`
	OwnerReferences   []Owner           `json:"ownerReferences,omitempty"`
}

type Owner struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	UID        string `json:"uid"`
}

// Pod is the part of a pod that is used here.
type Pod struct {
	APIVersion string      `json:"apiVersion,omitempty"`
	Kind       string      `json:"kind,omitempty"`
	Metadata   Meta        `json:"metadata"`
	Spec       PodSpec     `json:"spec"`
	Status     play.Status `json:"status,omitzero"`
}

type PodSpec struct {
	NodeName         string            `json:"nodeName,omitempty"`
	NodeSelector     map[string]string `json:"nodeSelector,omitempty"`
	RestartPolicy    string            `json:"restartPolicy,omitempty"`
	InitContainers   []Container       `json:"initContainers,omitempty"`
	Containers       []Container       `json:"containers"`
	Tolerations      []Toleration      `json:"tolerations,omitempty"`
	AutomountToken   *bool             `json:"automountServiceAccountToken,omitempty"`
	TerminationGrace *int64            `json:"terminationGracePeriodSeconds,omitempty"`
}

type Container struct {
	Name          string `json:"name"`
	Image         string `json:"image"`
	RestartPolicy string `json:"restartPolicy,omitempty"`
}

type Toleration struct {
	Key      string `json:"key,omitempty"`
	Operator string `json:"operator"`
	Effect   string `json:"effect,omitempty"`
}

// PodList is a list of pods with the version to watch from.
type PodList struct {
	Metadata Meta  `json:"metadata"`
	Items    []Pod `json:"items"`
}
