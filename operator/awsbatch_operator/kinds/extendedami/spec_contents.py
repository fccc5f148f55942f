"""What is put into an image: files, scripts and container images."""

from typing import ClassVar

from pydantic import Field

from awsbatch_operator.kinds.extendedami import forms as own_forms
from awsbatch_operator.kinds.extendedami import rules
from awsbatch_operator.kinds.extendedami.spec_parts import BUILD_SECONDS, PATH, part_name
from awsbatch_operator.schema import forms
from awsbatch_operator.schema.fields import Fields, ruled
from awsbatch_operator.schema.rules import Rule

TEXT = 65_536  # characters; EC2 takes 16 KiB of user data, which so many may fit into compressed


class File(Fields):
    """A file of the image."""

    path: str = Field(
        description="Where it is.",
        max_length=PATH,
        json_schema_extra=ruled(own_forms.FILE_PATH, rules.FILE),
    )
    mode: str | None = Field(
        None,
        description="Its mode in octal. Default: 0644.",
        max_length=4,
        json_schema_extra=ruled(own_forms.FILE_MODE),
    )
    content: str = Field(
        description="Its text. No secrets: whoever can describe instances could read them.",
        max_length=TEXT,
    )


class ConfigMapKeyRef(Fields):
    """A key of a ConfigMap."""

    name: str = Field(
        description="Name of the ConfigMap in the same namespace.",
        max_length=253,
        json_schema_extra=ruled(forms.NAME),
    )
    key: str = Field(
        description="The key that holds the text.",
        max_length=253,
        json_schema_extra=ruled(own_forms.CONFIG_KEY),
    )


class ContentFrom(Fields):
    """Where a text is that does not stand in the object."""

    config_map_key_ref: ConfigMapKeyRef = Field(description="A key of a ConfigMap.")


class Script(Fields):
    """A script that is run once, as root, while the image is made."""

    RULES: ClassVar[tuple[Rule, ...]] = (rules.SCRIPT, rules.SCRIPT_LINES)

    name: str = part_name("script")
    content: str | None = Field(
        None,
        description=(
            "Its text, with the interpreter in its first line. No secrets: whoever can describe "
            "instances could read them."
        ),
        min_length=1,
        max_length=TEXT,
    )
    content_from: ContentFrom | None = Field(
        None,
        description=(
            "Where its text is instead. It is read anew within four minutes; another text makes "
            "another image."
        ),
    )
    timeout_seconds: int | None = Field(
        None,
        description="Seconds that it may take before the build has failed. Default: 600.",
        ge=1,
        le=BUILD_SECONDS,
    )


class ContainerImage(Fields):
    """A container image that instances have at hand when they boot."""

    image: str = Field(
        description=(
            "Its name, best with a digest: what a tag stands for changes, and the copy in the "
            "image does not."
        ),
        max_length=1024,
        json_schema_extra=ruled(forms.IMAGE),
    )
