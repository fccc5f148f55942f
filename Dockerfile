# Two images: the operator (the default), and the simulator for trials without an AWS account:
#   docker build -t aws-batch-operator:0.1.0 .
#   docker build -t aws-batch-simulator:0.1.0 --target simulator .
#
# The base image by digest, of the index for all architectures: the tag alone would build something
# else each month. To renew it:
#   docker buildx imagetools inspect python:3.12-slim-bookworm --format '{{.Manifest.Digest}}'
# For a mirror or another base: docker build --build-arg PYTHON_IMAGE=registry.example.com/python@…
#
# Labels: docker build --build-arg REVISION=$(git rev-parse HEAD) --build-arg SOURCE=https://…
ARG PYTHON_IMAGE=python:3.12-slim-bookworm@sha256:54c85f3c47607a77f32adec749d3c81d1348bf25833671f512b26a9b6d778cb3
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=unknown

# Bare: the base without pip, what installs pip, and what one builds against Python with.
FROM ${PYTHON_IMAGE} AS bare
COPY tools/image_tree.py /tmp/image_tree.py
RUN python -B /tmp/image_tree.py base / && rm /tmp/image_tree.py

# Build: the wheel and its hashed dependencies into a tree of their own, in which pip never is.
FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_COMPILE=1
WORKDIR /src
COPY requirements/runtime.txt requirements/build.txt requirements/
RUN python -m venv /opt/build && /opt/build/bin/pip install --require-hashes -r requirements/build.txt \
 && python -m venv --without-pip /opt/operator \
 && /opt/build/bin/pip --python /opt/operator/bin/python install --require-hashes -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY operator/awsbatch_operator operator/awsbatch_operator
COPY tools/image_tree.py tools/image_tree.py
RUN /opt/build/bin/python -m hatchling build -t wheel \
 && /opt/build/bin/pip --python /opt/operator/bin/python install --no-deps dist/*.whl \
 && /opt/operator/bin/python tools/image_tree.py packages /opt/operator/lib/python3*/site-packages

# The simulator's dependencies, in a tree that the operator's image never sees.
FROM ${PYTHON_IMAGE} AS simulator-build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_COMPILE=1
WORKDIR /src
COPY requirements/simulator.txt requirements/
RUN python -m venv /opt/build && python -m venv --without-pip /opt/simulator \
 && /opt/build/bin/pip --python /opt/simulator/bin/python install --require-hashes -r requirements/simulator.txt
COPY operator/awsbatch_simulator /opt/simulator/app/awsbatch_simulator
COPY tools/image_tree.py tools/image_tree.py
RUN /opt/simulator/bin/python tools/image_tree.py simulator /opt/simulator/lib/python3*/site-packages \
 && /opt/simulator/bin/python -m compileall -q --invalidation-mode=unchecked-hash /opt/simulator/app

# Simulate: it runs scripts of jobs and no commands, so it needs no more rights than the operator.
FROM scratch AS simulator
ARG VERSION
ARG REVISION
ARG SOURCE
LABEL org.opencontainers.image.title="aws-batch-simulator" \
      org.opencontainers.image.description="A simulated AWS for trials of aws-batch-operator." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
ENV PATH=/opt/simulator/bin:/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 HOME=/tmp \
    PYTHONPATH=/opt/simulator/app PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY --from=bare / /
COPY --from=simulator-build /opt/simulator /opt/simulator
USER 65532:65532
WORKDIR /tmp
EXPOSE 4566
ENTRYPOINT ["python", "-m", "awsbatch_simulator"]

# Run: no compiler, no pip, no root, nothing to write but /tmp. From scratch, because what a layer
# takes out of its base stays in the image's size.
FROM scratch AS operator
ARG VERSION
ARG REVISION
ARG SOURCE
LABEL org.opencontainers.image.title="aws-batch-operator" \
      org.opencontainers.image.description="Run AWS Batch from Kubernetes manifests." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
ENV PATH=/opt/operator/bin:/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY --from=bare / /
COPY --from=build /opt/operator /opt/operator
USER 65532:65532
WORKDIR /tmp
EXPOSE 8080
ENTRYPOINT ["aws-batch-operator"]
CMD ["run"]
