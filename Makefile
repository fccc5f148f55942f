# Every target sets up what it needs; a fresh Linux machine needs python3 (3.11 or newer) and make.
SHELL := /bin/bash
# The distribution's own Python where it is new enough and can make environments: what pyenv compiles
# has no profile to go by, and takes an eighth more time for the same work. PYTHON=... has the last word.
PYTHON ?= $(or $(shell for each in /usr/bin/python3 python3; do $$each -c \
  'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done),python3)
VENV := .venv
BIN := $(VENV)/bin
RUN := env PYTHONPATH=operator $(BIN)/python
# Where it is set, each of the hundreds of processes of the tests would compile all code anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo demo-capacity demo-ami test test-unit test-simulator test-component test-crash test-integration test-days test-campaign campaign conformance charts monitoring pictures gitops e2e check format up down status restart-operator crds docs reference docs-browser bench lock clean

help: ## List the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.ready: requirements/uv.txt requirements/dev.txt
	@echo "Setting up Python packages in $(VENV) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync --quiet --require-hashes requirements/dev.txt
	@touch $@

demo: $(VENV)/.ready ## Run the quickstart on a local control plane and simulated AWS (KEEP=1 leaves it running)
	@exec $(RUN) -m awsbatch_sandbox demo $(if $(KEEP),--keep)

demo-capacity: $(VENV)/.ready ## Show how instances come for waiting jobs and go again, and a block of them
	@exec $(RUN) -m awsbatch_sandbox demo-capacity

demo-ami: $(VENV)/.ready ## Show how a machine image is built, tried, used and removed
	@exec $(RUN) -m awsbatch_sandbox demo-ami

up: $(VENV)/.ready ## Start control plane, simulator and operator; leaves .sandbox/kubeconfig and .sandbox/aws.env
	@exec $(RUN) -m awsbatch_sandbox up

down: $(VENV)/.ready ## End what "make up" started
	@exec $(RUN) -m awsbatch_sandbox down

status: $(VENV)/.ready ## Show the parts of the sandbox that "make up" started: what runs, pids, logs
	@exec $(RUN) -m awsbatch_sandbox status

restart-operator: $(VENV)/.ready ## Start the operator of that sandbox again, killed or not
	@exec $(RUN) -m awsbatch_sandbox restart-operator

# What takes long, run by CI beside the rest: days with instances, deletions of everything,
# replacements under a queue with a job, views of the past, lags and several strikes, and kill -9.
DAYS_OF_DEATH := $(addprefix tests/integration/crash/,test_capacity_points.py test_capacity_views.py \
  test_deletion_orders.py test_deletions_of_jobs.py test_deletions_of_runs.py \
  test_everything_deleted.py test_gates.py test_image_moves.py test_images.py \
  test_infrastructure_updates.py test_replacement.py test_runs.py test_shapes_of_jobs.py \
  test_image_adoptions.py \
  test_stale_restarts.py test_several_strikes.py test_lagging_listings.py test_unobserved_changes.py)
# The protocol of submissions as a state machine: a second an example.
DAYS_AT_RANDOM := tests/integration/crash/test_protocol.py
# Whole lives of pools and blocks, and of leaders, without AWS; hostile texts; the garbage collector;
# what "make check" and "make e2e" use.
DAYS_OF_PLANS := $(addprefix tests/unit/,$(addprefix capacity/,test_block_plans.py \
  test_blocks_put_back.py test_planner.py test_whole_lives.py) engine/test_elector_properties.py \
  node sandbox/test_processes.py schema/test_drift.py telemetry/test_secret_patterns.py test_heap.py test_image_whole.py test_uninstall.py \
  $(addprefix userdata/,test_agent.py test_shell.py images/test_hostile_recipes.py \
  images/test_quoting.py))
# Each lives hours in which images are built.
DAYS_OF_IMAGES := $(addprefix tests/component/,examples/test_image_examples.py \
  userdata/test_image_failures.py $(addprefix extendedami/,test_attacks.py \
  test_adopting.py test_attacks_on_builds.py test_chains.py test_clean_records.py test_failures.py \
  test_meetings.py test_pools.py test_publishing.py test_reported.py test_retirement.py \
  test_rights.py test_rollout.py))
# Jobs that are held, changed, lost, forgotten or out of time, in every trouble; and large numbers.
DAYS_OF_RUNS := $(addprefix tests/component/,$(addprefix batchjob/,test_attacks_by_restart.py \
  test_attacks_together.py test_changed.py test_deadline.py test_event_queue.py test_fallback.py \
  test_forgotten.py test_held_in_trouble.py test_inline_again.py test_inline_together.py \
  test_packed.py test_reasons_kept.py test_set_free.py) capacity/test_large_fleets.py \
  $(addprefix lifecycle/,test_changes_in_vain.py test_handed_over.py test_orphan_strikes.py \
  test_rivals.py test_side_by_side.py) scale/test_cache_size.py upgrades/test_first_version.py)
DAYS := $(addprefix tests/integration/,test_afterwards.py test_capacity_examples.py \
  test_demo_capacity.py test_demo_images.py test_first_version.py test_job_examples.py test_kill.py test_kill_adoption.py test_kill_images.py \
  test_kill_instances.py test_kill_jobs.py test_kill_replacement.py test_namespaced.py \
  test_readiness.py test_removal.py test_shapes.py)

test: test-unit test-simulator test-component test-crash test-integration ## Run all tests but the long ones (test-days, test-campaign, conformance)

test-unit: $(VENV)/.ready ## Unit and property tests
	$(BIN)/python -m pytest tests/unit $(addprefix --ignore=,$(DAYS_OF_PLANS)) -n 2 --dist worksteal -q

test-simulator: $(VENV)/.ready ## Tests of the simulated AWS, from what AWS documents
	$(BIN)/python -m pytest tests/simulator -n 2 -q

test-component: $(VENV)/.ready ## The whole operator in one process over a stepped clock; the simulator over HTTP
	@$(RUN) tools/cloud_init.py
	$(BIN)/python -m pytest tests/component $(addprefix --ignore=,$(DAYS_OF_IMAGES) $(DAYS_OF_RUNS)) -n 2 -q

test-crash: $(VENV)/.ready ## Death at every external call, in one process
	$(BIN)/python -m pytest tests/integration/crash $(addprefix --ignore=,$(DAYS_OF_DEATH) $(DAYS_AT_RANDOM)) -n 2 -q

test-integration: $(VENV)/.ready ## Tests on the real kube-apiserver and the simulator
	@$(RUN) -m awsbatch_sandbox tools
	$(BIN)/python -m pytest tests/integration --ignore=tests/integration/crash $(addprefix --ignore=,$(DAYS)) -n 4 --dist loadfile --no-loadscope-reorder -q

test-days: $(VENV)/.ready ## The long ones: properties with more examples, days with instances, death in deletions and replacements, lags, kill -9
	@$(RUN) -m awsbatch_sandbox tools
	HYPOTHESIS_PROFILE=days $(BIN)/python -m pytest tests/unit tests/simulator $(DAYS_AT_RANDOM) -m hypothesis -n 2 -q
	$(BIN)/python -m pytest $(DAYS_OF_PLANS) $(DAYS_OF_DEATH) $(DAYS_OF_IMAGES) $(DAYS_OF_RUNS) -n 2 -q
	$(BIN)/python -m pytest $(DAYS) -n 3 --dist loadfile -q

conformance: $(VENV)/.ready ## Hold every kind to the contract of all kinds; prints the table kind x point
	@$(RUN) -m awsbatch_sandbox tools
	$(BIN)/python -m pytest tests/conformance -n 2 --dist loadgroup -q

charts: $(VENV)/.ready ## The Helm charts with the real Helm: the same as deploy/, installed, upgraded, uninstalled
	@$(RUN) -m awsbatch_sandbox tools
	@$(RUN) -m tests.support.chart_tools
	$(BIN)/python -m pytest tests/charts -q

monitoring: $(VENV)/.ready ## Every dashboard panel and alert by Prometheus's own engine, in runs in which its case occurs
	@$(RUN) -m tests.support.prometheus
	$(BIN)/python -m pytest tests/monitoring -q

pictures: $(VENV)/.ready ## Draw the pictures of the dashboards in docs/pictures/dashboards anew, from the same runs
	$(RUN) -m tests.support.pictures

gitops: $(VENV)/.ready ## Flux's own controller on the examples; kstatus' library and Argo CD's engine on all that is written
	@$(RUN) -m awsbatch_sandbox tools
	@$(RUN) -m tests.support.gitops_tools
	$(BIN)/python -m pytest tests/gitops -q

test-campaign: $(VENV)/.ready ## A part of the campaign, the same one each time, and some storms
	$(BIN)/python -m pytest tests/campaign -n 2 -q

campaign: $(VENV)/.ready ## Lead every field of every kind through its states, and ten objects through storms
	CAMPAIGN=whole $(BIN)/python -m pytest tests/campaign -n 2 -q

e2e: $(VENV)/.ready ## The installation in a real cluster (E2E_KUBECONFIG's, kind, or as root a node of our own) and what befalls it
	@$(RUN) -m awsbatch_node.probe; code=$$?; \
	if test $$code -eq 3; then exit 0; elif test $$code -ne 0; then exit $$code; fi; \
	$(RUN) -m tests.support.chart_tools && \
	exec $(BIN)/python -m pytest tests/e2e --timeout=1800 --capture=no -q

check: $(VENV)/.ready ## Format, lint, types, import contracts, generated files, house rules
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	PYTHONPATH=operator $(BIN)/lint-imports --no-cache
	$(RUN) tools/house_rules.py
	$(RUN) -m awsbatch_operator.generate --check
	$(RUN) tools/reference_docs.py --check
	$(RUN) tools/iam_policy.py --check
	$(RUN) -m tools.dashboards --check
	$(RUN) -m tools.helm_chart --check
	$(RUN) tools/example_blocks.py --check
	$(RUN) tools/draw.py --check
	$(RUN) tools/links.py

format: $(VENV)/.ready ## Format and mend what lint can mend by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix --quiet .

crds: $(VENV)/.ready ## Generate crds/, and the Helm chart of them, from the spec models and botocore's model
	$(RUN) -m awsbatch_operator.generate

reference: $(VENV)/.ready ## Generate the reference pages and pictures under docs/, the IAM policy and the values of the Helm chart
	$(RUN) tools/reference_docs.py
	$(RUN) tools/iam_policy.py
	$(RUN) -m tools.dashboards
	$(RUN) -m tools.helm_chart
	$(RUN) tools/example_blocks.py
	$(RUN) tools/draw.py

# What builds the site has an environment of its own: nothing else here needs it.
.site/venv/.ready: $(VENV)/.ready requirements/docs.txt
	@$(PYTHON) -m venv .site/venv
	@VIRTUAL_ENV=.site/venv $(BIN)/uv pip sync --quiet --require-hashes requirements/docs.txt
	@touch $@

docs: reference .site/venv/.ready ## Generate what "make reference" does, and build the site into .site/html; a link that leads nowhere fails it
	$(RUN) -m tools.site_pages
	NO_MKDOCS_2_WARNING=1 .site/venv/bin/mkdocs build --strict

docs-browser: docs ## Look at each page of the site in a real browser, as wide as a phone and as a desk
	$(BIN)/python -m pytest tests/site -q
	$(RUN) tools/browse_site.py

bench: $(VENV)/.ready ## Measure the numbers to reach and print each beside its target
	@exec $(RUN) -m tests.bench

lock: $(VENV)/.ready ## Compile requirements/*.in into hashed locks
	cd requirements && for f in runtime dev docs go build uv simulator; do ../$(BIN)/uv pip compile --quiet --generate-hashes \
	  --universal --python-version 3.11 --custom-compile-command "make lock" $$f.in -o $$f.txt; done

clean: ## Remove what the other targets made in this folder
	@if test -d .sandbox -a -x $(BIN)/python; then $(RUN) -m awsbatch_sandbox down; fi
	rm -rf $(VENV) .sandbox .site .e2e .mypy_cache .ruff_cache .hypothesis .import_linter_cache
