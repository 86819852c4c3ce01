// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.domain;

import java.util.ArrayList;
import java.util.List;
import org.agrona.collections.Int2ObjectHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The endpoints behind an IOMMU, which come and go. Changes, and what requests look up, belong to the control lock;
 * {@link #all} and {@link #find} may be called on any thread.
 */
public final class Endpoints {

    private final Int2ObjectHashMap<Endpoint> byId = new Int2ObjectHashMap<>();
    private final int most;

    /** A list that nobody changes; another one takes its place. */
    private volatile List<Endpoint> all = List.of();

    /**
     * Starts with no endpoint.
     *
     * @param most how many there may be at a time
     */
    public Endpoints(int most) {
        this.most = most;
    }

    /** What a request names: null if there is no such endpoint. Under the control lock. */
    @Nullable Endpoint get(int id) {
        return byId.get(id);
    }

    /**
     * An endpoint by its id, for the embedder. Takes no lock, and time in proportion to the number of endpoints.
     *
     * @param id any number
     * @return null if there is no such endpoint
     */
    public @Nullable Endpoint find(int id) {
        for (Endpoint endpoint : all) {
            if (endpoint.id() == id) {
                return endpoint;
            }
        }
        return null;
    }

    /**
     * All endpoints there are.
     *
     * @return a list that does not change
     */
    public List<Endpoint> all() {
        return all;
    }

    /** Those with equal regions share one object, by which domains compare them. */
    void add(Endpoint endpoint) {
        if (byId.containsKey(endpoint.id())) {
            throw new IllegalArgumentException("endpoint=0x" + Integer.toHexString(endpoint.id())
                    + " is behind this IOMMU already; unplug it before");
        }
        if (all.size() == most) {
            throw new IllegalArgumentException("endpoint=0x" + Integer.toHexString(endpoint.id()) + " is one more than"
                    + " maxEndpoints=" + most + "; give the builder a larger number");
        }
        List<Endpoint> more = new ArrayList<>(all);
        for (Endpoint other : more) {
            if (other.regions().equals(endpoint.regions())) {
                endpoint.share(other.pages());
                break;
            }
        }
        more.add(endpoint);
        byId.put(endpoint.id(), endpoint);
        all = List.copyOf(more);
    }

    void remove(Endpoint endpoint) {
        byId.remove(endpoint.id());
        List<Endpoint> fewer = new ArrayList<>(all);
        fewer.remove(endpoint);
        all = List.copyOf(fewer);
    }
}
