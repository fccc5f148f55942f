# syntax=docker/dockerfile:1
# Build: the wheel and its hashed dependencies into a tree of their own.
FROM python:3.12-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements/runtime.txt requirements/build.txt requirements/
RUN python -m venv /opt/build && /opt/build/bin/pip install --require-hashes -r requirements/build.txt \
 && python -m venv /opt/operator && /opt/operator/bin/pip install --require-hashes -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY operator/awsbatch_operator operator/awsbatch_operator
RUN /opt/build/bin/python -m hatchling build -t wheel \
 && /opt/operator/bin/pip install --no-deps dist/*.whl \
 && /opt/operator/bin/python -m compileall -q /opt/operator/lib \
 && /opt/operator/bin/python -m pip uninstall --yes pip

# Run: no compiler, no pip, no root, nothing to write but /tmp.
FROM python:3.12-slim-bookworm
ENV PATH=/opt/operator/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY --from=build /opt/operator /opt/operator
USER 65532:65532
WORKDIR /tmp
EXPOSE 8080
ENTRYPOINT ["aws-batch-operator"]
CMD ["run"]
