"""Writes crds/ from the spec of each kind and AWS's model, or says how they differ.

And the same as templates of a Helm chart, whose upgrades reach CRDs only there.

`python -m awsbatch_operator.generate` writes, `--check` compares. `--no-selectors` leaves out what
Kubernetes before 1.31 does not take. The kinds stand above the
schema package, so the two are brought together here and nowhere else.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from awsbatch_operator.api.metadata import GROUP
from awsbatch_operator.kinds.awsaccount.spec import RESOURCE as AWS_ACCOUNT
from awsbatch_operator.kinds.batchjob.spec import RESOURCE as BATCH_JOB
from awsbatch_operator.kinds.computeenvironment.spec import RESOURCE as COMPUTE_ENVIRONMENT
from awsbatch_operator.kinds.extendedami.spec import RESOURCE as EXTENDED_AMI
from awsbatch_operator.kinds.jobdefinition.spec import RESOURCE as JOB_DEFINITION
from awsbatch_operator.kinds.jobqueue.spec import RESOURCE as JOB_QUEUE
from awsbatch_operator.kinds.schedulingpolicy.spec import RESOURCE as SCHEDULING_POLICY
from awsbatch_operator.schema.crd import crd, to_yaml
from awsbatch_operator.schema.declare import CustomResource

RESOURCES: tuple[CustomResource[Any], ...] = (
    AWS_ACCOUNT,
    COMPUTE_ENVIRONMENT,
    JOB_QUEUE,
    JOB_DEFINITION,
    SCHEDULING_POLICY,
    BATCH_JOB,
    EXTENDED_AMI,
)
FOLDER = Path("crds")
CHART = Path("deploy", "charts", "aws-batch-operator-crds", "templates")
# With a CRD all of its objects would go, and what they have in AWS.
KEPT = {"helm.sh/resource-policy": "keep"}
SELECTABLE = '{{- if semverCompare ">=1.31.0-0" .Capabilities.KubeVersion.Version }}'


def files(*, selectable: bool = True) -> Mapping[str, str]:
    """The content of crds/ by file name."""
    made = {f"{GROUP}_{r.plural}.yaml": to_yaml(crd(r, selectable=selectable)) for r in RESOURCES}
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": sorted(made),
    }
    return {**made, "kustomization.yaml": to_yaml(kustomization)}


def templates() -> Mapping[str, str]:
    """The content of the Helm chart of the CRDs: what Helm renders is what crds/ has, and kept."""
    return {f"{GROUP}_{r.plural}.yaml": template(r) for r in RESOURCES}


def template(resource: CustomResource[Any]) -> str:
    """A CRD as a template: its selectable fields only where the cluster takes them."""
    full, plain = (
        escaped(to_yaml(_kept(crd(resource, selectable=selectable)))).splitlines(keepends=True)
        for selectable in (True, False)
    )
    if full == plain:
        return "".join(full)
    pairs = zip(full, plain, strict=False)
    start = next(number for number, (one, other) in enumerate(pairs) if one != other)
    end = start + len(full) - len(plain)
    if full[:start] + full[end:] != plain:
        raise ValueError(f"{resource.kind}: more than one part depends on selectable fields")
    parts = (*full[:start], f"{SELECTABLE}\n", *full[start:end], "{{- end }}\n", *full[end:])
    return "".join(parts)


def escaped(text: str) -> str:
    """The text as Helm renders it: what looks like its own marks stands for itself."""
    return text.replace("{{", '{{ "{{" }}')


def _kept(body: dict[str, Any]) -> dict[str, Any]:
    metadata = {**body["metadata"]}
    metadata["annotations"] = {**metadata.get("annotations", {}), **KEPT}
    return {**body, "metadata": metadata}


def drift(folder: Path, wanted: Mapping[str, str]) -> list[str]:
    """One line for each file that is missing, differs, or should not be there."""
    found = {path.name: path.read_text() for path in folder.glob("*.yaml")}
    return [
        *(f"{folder / name} is missing" for name in sorted(wanted.keys() - found.keys())),
        *(f"{folder / name} belongs to no kind" for name in sorted(found.keys() - wanted.keys())),
        *(
            f"{folder / name} differs from what its spec.py says"
            for name in sorted(wanted.keys() & found.keys())
            if wanted[name] != found[name]
        ),
    ]


def write(folder: Path, wanted: Mapping[str, str]) -> None:
    """Make the folder hold these files and no other YAML."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.yaml"):
        if path.name not in wanted:
            path.unlink()
    for name, content in wanted.items():
        (folder / name).write_text(content)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 1 if `--check` found a difference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--chart", type=Path, default=CHART, help="where the Helm chart has them")
    parser.add_argument(
        "--no-selectors",
        action="store_true",
        help="without fields for --field-selector, for Kubernetes before 1.31",
    )
    options = parser.parse_args(arguments)
    wanted = {
        options.folder: files(selectable=not options.no_selectors),
        options.chart: templates(),
    }
    if not options.check:
        for folder, content in wanted.items():
            write(folder, content)
        return 0
    differences = [line for folder, content in wanted.items() for line in drift(folder, content)]
    if not differences:
        return 0
    sys.stderr.write(
        "\n".join(differences)
        + "\nThe CRDs are made from operator/awsbatch_operator/kinds/*/spec.py and from botocore's "
        "model. Run `make crds` and commit what it writes.\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
