# make: a file for each shard, and the merged results from all of them.
#
#   make -f fleet.mk -j 8 ARCHIVES=/srv/archives RESULTS=/srv/results
#
# A results file gets its name when it is complete. So a run that was interrupted is continued by the same command, and
# one that is complete is left alone. `make rescan` reads what changed since.
ARCHIVES ?= archives
RESULTS ?= results
SHARDS ?= 8

FILES := $(patsubst %,$(RESULTS)/shards/%.ndjson,$(shell seq $(SHARDS)))
# Exit codes 1 and 2 mean findings and unreadable archives, if there is a results file: the merge decides.
SCAN = waybill scan "$(ARCHIVES)" --shard $*/$(SHARDS) --jobs 1 --resume "$@" || [ -f "$@" ]

.PHONY: fleet rescan
fleet: $(FILES)
	waybill merge $(FILES) -o - -o $(RESULTS)/fleet.html -o $(RESULTS)/fleet.ndjson

$(RESULTS)/shards/%.ndjson: | $(RESULTS)/shards
	$(SCAN)

rescan:
	$(MAKE) -f $(firstword $(MAKEFILE_LIST)) -B $(FILES)
	$(MAKE) -f $(firstword $(MAKEFILE_LIST)) fleet

$(RESULTS)/shards:
	mkdir -p $@
