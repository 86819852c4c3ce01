// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.request;

import org.jspecify.annotations.Nullable;
import org.virtio4j.iommu.domain.Domain;
import org.virtio4j.iommu.domain.MapBatch;

/**
 * MAPs of one domain that follow each other in a batch, and are announced to its listeners together. Each of them could
 * be carried out by itself: one that meets an earlier one, or would be refused, ends the group. If the listeners refuse
 * the group, each MAP is announced alone and gets a status of its own. A listener that is expelled meanwhile may take
 * the last endpoints out of the domain, which ends; nothing must be inserted into it then. Under the control lock.
 */
final class MapGroup {

    private final RequestExecutor executor;
    private final Request[] requests;
    private final MapBatch batch;
    private @Nullable Domain domain;

    MapGroup(RequestExecutor executor, int most) {
        this.executor = executor;
        this.requests = new Request[most];
        this.batch = new MapBatch(most);
    }

    /** Carries a request out, now or with those that follow; {@link #finish} comes after the last. */
    void execute(Request request) {
        if (!add(request)) {
            finish();
            if (!add(request)) {
                executor.execute(request);
            }
        }
    }

    /** Forgets what a batch has put off that ended with an exception: its requests are never carried out. */
    void begin() {
        batch.clear();
        domain = null;
    }

    /** Carries out what was put off. */
    void finish() {
        Domain mapped = domain;
        if (mapped != null) {
            boolean announced = batch.size() > 1 && executor.announce(mapped, batch);
            boolean ended = mapped.isEmpty();
            for (int i = 0; i < batch.size(); i++) {
                if (ended) {
                    executor.fail(requests[i]);
                } else if (announced && !mapped.isEmpty()) {
                    executor.insertAnnounced(mapped, requests[i]);
                } else {
                    executor.execute(requests[i]);
                }
            }
            batch.clear();
            domain = null;
        }
    }

    private boolean add(Request request) {
        Domain of = executor.mirroredDomain(request);
        if (of == null || (domain != null && of != domain) || !executor.canAdd(of, request, batch)) {
            return false;
        }
        domain = of;
        requests[batch.size()] = request;
        batch.add(request.virtStart, request.virtEnd, request.physStart, request.flags);
        return true;
    }
}
