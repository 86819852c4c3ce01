// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.play;

import org.virtio4j.iommu.embedder.IommuListener;
import org.virtio4j.iommu.embedder.ServedRequest;
import org.virtio4j.wire.iommu.RequestStatus;
import org.virtio4j.wire.iommu.RequestType;

/**
 * What the device says of the requests it has served, in ring order, until each is compared with what its driver found;
 * and how many mappings there are by that. The device calls it in the kick, so it all happens on one thread.
 */
final class ServedRequests implements IommuListener {

    private final int[] types;
    private final int[] statuses;
    private final long[] removed;
    private final int mask;
    private long first;
    private long next;

    private final LiveMappings all;
    private long live;
    private boolean domainsChanged;

    /** For as many requests at a time as the ring has entries. */
    ServedRequests(int ringSize, LiveMappings all) {
        types = new int[ringSize];
        statuses = new int[ringSize];
        removed = new long[ringSize];
        mask = ringSize - 1;
        this.all = all;
    }

    @Override
    public void served(ServedRequest request) {
        if (request.understood()) {
            served(request.type(), request.status(), request.removed());
        }
    }

    private void served(int type, int status, long removedMappings) {
        int place = (int) (next & mask);
        types[place] = type;
        statuses[place] = status;
        removed[place] = removedMappings;
        next++;
        if (status != RequestStatus.OK) {
            return;
        }
        switch (type) {
            case RequestType.MAP -> live(live + 1);
            case RequestType.UNMAP -> live(live - removedMappings);
            case RequestType.ATTACH, RequestType.DETACH -> domainsChanged = true;
            default -> {
                // A PROBE changes nothing.
            }
        }
    }

    /** Whether {@link #type} and the others have something to say; not if the device served more than there was. */
    boolean hasNext() {
        return first != next && next - first <= types.length;
    }

    int type() {
        return types[(int) (first & mask)];
    }

    int status() {
        return statuses[(int) (first & mask)];
    }

    long removed() {
        return removed[(int) (first & mask)];
    }

    void advance() {
        first++;
    }

    /** How many the device served that were not asked about. */
    long left() {
        return next - first;
    }

    void clear() {
        first = next;
    }

    /** Whether domains may have ended since the last {@link #live}, and mappings with them, which nobody tells. */
    boolean domainsChanged() {
        return domainsChanged;
    }

    /** Says how many mappings the IOMMU has. */
    void live(long mappings) {
        all.change(mappings - live);
        live = mappings;
    }

    void domainsCounted() {
        domainsChanged = false;
    }
}
