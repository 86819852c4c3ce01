// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.play;

import java.util.List;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.trace.TraceHeader;
import org.virtio4j.trace.TranslationKind;
import org.virtio4j.vmm.Access;

/** A device behind the IOMMU, as far as a trace knows it: it asks where its DMA goes. */
final class EndpointDma implements ExtentSink, AutoCloseable {

    private final int endpoint;
    private final DmaHandle handle;
    private final long[] doorbellStarts;
    private final long[] doorbellEnds;
    private final ProbeProperties properties;

    private TranslateResult result = TranslateResult.OK;
    private long iova;
    private long virtStart;
    private long physStart;

    EndpointDma(int endpoint, DmaSpace space, List<TraceHeader.Region> regions) {
        this.endpoint = endpoint;
        this.handle = space.open("endpoint " + Integer.toUnsignedString(endpoint));
        List<TraceHeader.Region> doorbells =
                regions.stream().filter(region -> region.kind() == TraceHeader.RegionKind.MSI).toList();
        doorbellStarts = doorbells.stream().mapToLong(TraceHeader.Region::start).toArray();
        doorbellEnds = doorbells.stream().mapToLong(TraceHeader.Region::end).toArray();
        properties = new ProbeProperties(regions);
    }

    int endpoint() {
        return endpoint;
    }

    /** What a PROBE is to find. */
    ProbeProperties properties() {
        return properties;
    }

    /** Asks where an access goes, and reports its fault as any device's access would. */
    void translate(long address, Access access) {
        iova = address;
        handle.enter();
        result = handle.translate(address, access, this);
        handle.leave();
    }

    /** Whether the last translation came out like this. */
    boolean came(TranslationKind kind, long address) {
        boolean translated = result == TranslateResult.OK;
        return switch (kind) {
            case ADDRESS -> translated && physical() == address;
            case BYPASS -> translated && physical() == iova;
            case MSI -> translated && physical() == iova && isDoorbell();
            case FAULT -> !translated;
        };
    }

    boolean faulted() {
        return result != TranslateResult.OK;
    }

    /** How the last translation came out, in words. */
    String describe() {
        return faulted() ? "fault " + result : Long.toHexString(physical());
    }

    /** How it should have, in words. */
    static String describe(TranslationKind kind, long address) {
        return switch (kind) {
            case ADDRESS -> Long.toHexString(address);
            case BYPASS -> "the same address, for bypass";
            case MSI -> "the same address, for the MSI doorbell";
            case FAULT -> "a fault";
        };
    }

    @Override
    public void extent(long start, long virtEnd, long physical, int permitted) {
        virtStart = start;
        physStart = physical;
    }

    @Override
    public void close() {
        handle.close();
    }

    private long physical() {
        return physStart + (iova - virtStart);
    }

    private boolean isDoorbell() {
        for (int i = 0; i < doorbellStarts.length; i++) {
            if (Long.compareUnsigned(iova - doorbellStarts[i], doorbellEnds[i] - doorbellStarts[i]) <= 0) {
                return true;
            }
        }
        return false;
    }
}
