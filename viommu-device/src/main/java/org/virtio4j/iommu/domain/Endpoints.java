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

    /** The groups of several ids, by each id. */
    private final Int2ObjectHashMap<EndpointGroup> groups = new Int2ObjectHashMap<>();

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

    /**
     * Says that some ids stand for one device, whether they are there now or come later.
     *
     * @param ids of no endpoint that is there
     * @throws IllegalArgumentException if one of them is in a group, or is there
     */
    public void group(int... ids) {
        group(true, ids);
    }

    /** A group whose ids are forgotten with its last member, if it is not to stay. */
    void group(boolean stays, int... ids) {
        for (int id : ids) {
            if (byId.containsKey(id) || groups.containsKey(id)) {
                throw new IllegalArgumentException("endpoint=0x" + Integer.toHexString(id)
                        + " is there already, or in a group; name it once, and before it is plugged");
            }
        }
        EndpointGroup group = new EndpointGroup(true, stays);
        for (int id : ids) {
            groups.put(id, group);
        }
    }

    /** Those with equal regions share one object, by which domains compare them. */
    void add(Endpoint endpoint) {
        List<Endpoint> more = new ArrayList<>(all);
        for (Endpoint other : more) {
            if (other.regions().equals(endpoint.regions())) {
                endpoint.share(other.pages());
                break;
            }
        }
        more.add(endpoint);
        EndpointGroup group = groups.get(endpoint.id());
        endpoint.group(group == null ? new EndpointGroup(false, true) : group);
        endpoint.group().add(endpoint);
        byId.put(endpoint.id(), endpoint);
        all = List.copyOf(more);
    }

    /**
     * Finds out whether endpoints can be added.
     *
     * @param id   the first of them
     * @param more how many
     */
    void requireFree(int id, int more) {
        if (byId.containsKey(id)) {
            throw new IllegalArgumentException("endpoint=0x" + Integer.toHexString(id)
                    + " is behind this IOMMU already; unplug it before");
        }
        if (all.size() + more > most) {
            throw new IllegalArgumentException("endpoint=0x" + Integer.toHexString(id) + " does not fit: maxEndpoints="
                    + most + "; give the builder a larger number");
        }
    }

    void remove(Endpoint endpoint) {
        EndpointGroup group = endpoint.group();
        group.remove(endpoint);
        if (group.isOver()) {
            groups.values().removeIf(other -> other == group);
        }
        byId.remove(endpoint.id());
        List<Endpoint> fewer = new ArrayList<>(all);
        fewer.remove(endpoint);
        all = List.copyOf(fewer);
    }
}
