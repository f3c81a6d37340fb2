# Optline on this machine and on AWS. `make up` first; the rest says itself.

PYTHON ?= python3
LOCAL = PYTHONPATH=infra .venv/bin/python -m local $(if $(PORT),--port $(PORT)) $(if $(STANDINS_PORT),--standins-port $(STANDINS_PORT))
TARGET = $(or $(CARGO_TARGET_DIR),target)
IN = $(if $(ENV),--env $(ENV))

.PHONY: help up down call codes logs test screens check bench chaos deploy replay tenant verify-audit recount jobs replay-usage reconcile-report close-account reopen-account secret venv browser-venv

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 21

up: venv ## build, start and deploy on this machine, then place a call; FRESH=1 starts over
	@$(LOCAL) up $(if $(FRESH),--fresh) $(if $(filter no,$(BUILD)),--no-build)

down: venv ## stop; the data stays
	@$(LOCAL) down

call: venv ## be the caller; ARGS are the telephone's
	@$(LOCAL) call -- $(ARGS)

logs: venv ## FN=voice-answer: what that function logs, as it comes; ENV=… on AWS
	@$(LOCAL) logs $(if $(FN),$(FN),$(error say which function: make logs FN=voice-answer)) $(IN)

codes: venv ## who can sign in to the dashboard of make up, and the code of the moment
	@$(LOCAL) codes

test: browser-venv ## all tests, on a local cloud of their own; ARGS filter by name
	@$(LOCAL) test $(if $(filter no,$(BUILD)),--no-build) -- $(ARGS)

screens: browser-venv ## pictures of the dashboard of make up, in target/screens; ARGS filter by name
	@$(LOCAL) screens -- $(ARGS)

check: venv ## format, lints, documentation, dependencies, template
	@$(PYTHON) infra/local/bootstrap.py check
	@$(LOCAL) check

# What is measured, and what must have happened before.
MEASURED = bench bench-floor voice-* jobs-provision-tenant jobs-record-usage jobs-close-usage-day jobs-push-usage dashboard-invitation dashboard-sign-in \
	dashboard-second-factor dashboard-requests dashboard-request forms-form forms-requests

bench: ## speed and cost, measured beside the floor and the peers; results in target/bench
	@cargo build --release --package voice --package jobs --package dashboard --package forms --package bench $(MEASURED:%=--bin '%')
	@cargo run --quiet --release --package bench -- --bins $(TARGET)/release --out target/bench $(ARGS)

# The functions that bill usage and those that send mail, and what sets a tenant up, its team and its requests.
BILLING = jobs-provision-tenant jobs-record-usage jobs-close-usage-day jobs-push-usage webhooks-stripe
MAIL = jobs-send-reports jobs-send-reminders jobs-send-alerts jobs-send-mail jobs-watch-requests dashboard-invitation dashboard-team dashboard-account \
	dashboard-new-request
# With RELEASE=1 a night takes a fifth of the time, for those who want thousands.
BUILT = $(if $(RELEASE),release,debug)

chaos: ## the functions that bill usage and send mail, killed at every call they make and in N=… random lives from SEED=…; RELEASE=1 for thousands
	@cargo build $(if $(RELEASE),--release) --package jobs --package webhooks --package dashboard --package chaos $(BILLING:%=--bin '%') $(MAIL:%=--bin '%') --bin chaos
	@$(TARGET)/$(BUILT)/chaos --bins $(TARGET)/$(BUILT) --logs target/chaos $(if $(N),--lives $(N)) $(if $(SEED),--seed $(SEED)) $(ARGS)

deploy: venv ## ENV=staging: release bins and the template to AWS
	@$(LOCAL) deploy $(if $(ENV),$(ENV),$(error say where: make deploy ENV=staging))

replay: venv ## QUEUE=usage: move its dead-letter queue back; ENV=… on AWS
	@$(LOCAL) replay $(if $(QUEUE),$(QUEUE),$(error say which queue: make replay QUEUE=usage)) $(IN)


# Only what was given to make itself counts: some systems have a NAME or an EMAIL of their own.
GIVEN = $(if $(filter command line,$(origin $(1))),$(2) "$$$(1)")

jobs: venv ## what the jobs did of late, JOB=… one of them; RUN=send-reminders starts one, AT=2027-01-05T16:00:00Z as if it were then, TENANT=slug for one
	@$(LOCAL) jobs $(or $(RUN),$(JOB)) $(if $(RUN),--run) $(if $(LAST),--last $(LAST)) $(call GIVEN,AT,--at) $(call GIVEN,TENANT,--tenant) $(IN)

tenant: venv ## NAME=… EMAIL=…, or FILE=….json: set a tenant up or change it, and invite its owner; ENV=… on AWS
	@$(LOCAL) tenant $(FILE) $(call GIVEN,NAME,--name) $(call GIVEN,EMAIL,--email) $(call GIVEN,SLUG,--slug) $(IN)

verify-audit: venv ## TENANT=slug: is its audit trail whole? ENV=… on AWS; or FILE=export.jsonl.gz, without any cloud
	@$(if $(FILE),cargo run --quiet --package verify-audit -- $(FILE),$(LOCAL) verify-audit $(if $(TENANT),$(TENANT),$(error whose trail: make verify-audit TENANT=bear-outfitters, or FILE=export.jsonl.gz)) $(IN))

recount: venv ## TENANT=slug: count its requests once more and mend the counts; DRY=1 only looks; ENV=… on AWS
	@$(LOCAL) recount $(if $(TENANT),$(TENANT),$(error whose requests: make recount TENANT=bear-outfitters)) $(if $(DRY),--dry-run) $(IN)

replay-usage: venv ## TENANT=slug FROM=2026-11-01 TO=2026-11-20: have these days' usage billed as far as it is not; DRY=1 only looks; ENV=… on AWS
	@$(LOCAL) replay-usage $(if $(TENANT),$(TENANT),$(error whose usage: make replay-usage TENANT=bear-outfitters FROM=2026-11-01 TO=2026-11-20)) $(if $(and $(FROM),$(TO)),$(FROM) $(TO),$(error which days: FROM=2026-11-01 TO=2026-11-20)) $(if $(DRY),--dry-run) $(IN)

reconcile-report: venv ## what the nightly comparisons with Twilio and Stripe found; TENANT=slug a tenant's, DAYS=7; ENV=… on AWS
	@$(LOCAL) reconcile-report $(TENANT) $(if $(DAYS),--days $(DAYS)) $(IN)

close-account: venv ## TENANT=slug: no requests any more, its owners are told three times, erased after 90 days; ENV=… on AWS
	@$(LOCAL) close-account $(if $(TENANT),$(TENANT),$(error whose account: make close-account TENANT=bear-outfitters)) $(IN)

reopen-account: venv ## TENANT=slug: a closed account as it was, as long as it is not being erased; ENV=… on AWS
	@$(LOCAL) reopen-account $(if $(TENANT),$(TENANT),$(error whose account: make reopen-account TENANT=bear-outfitters)) $(IN)

secret: venv ## ENV=…: store the Twilio and Stripe credentials of a stack on AWS
	@$(LOCAL) secret --env $(if $(ENV),$(ENV),$(error say where: make secret ENV=staging))

browser-venv: venv
	@$(PYTHON) infra/local/bootstrap.py browser

venv:
	@command -v $(PYTHON) >/dev/null || { echo "✗ $(PYTHON) was not found. Install Python 3.10 or later, or name one: make up PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) infra/local/bootstrap.py
