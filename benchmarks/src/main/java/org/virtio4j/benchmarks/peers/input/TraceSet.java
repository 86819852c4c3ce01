// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers.input;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.virtio4j.benchmarks.host.Quantity;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.replay.input.TraceFile;
import org.virtio4j.replay.input.UnusableTraceException;
import org.virtio4j.trace.TraceEvent;
import org.virtio4j.trace.TraceReader;
import org.virtio4j.trace.TranslationKind;

/**
 * What a recorded guest asked of one domain, the one of which it asked most: each MAP and UNMAP that succeeded, and
 * each translation. A domain that loses its last endpoint loses its mappings, too.
 */
public final class TraceSet {

    /** A domain or an endpoint, by its IOMMU and its number there. */
    private record Id(int iommu, int number) {
    }

    private final Map<Id, TableSteps> domains = new HashMap<>();
    private final Map<Id, Id> domainOfEndpoint = new HashMap<>();

    private TraceSet() {
    }

    /**
     * Reads a recording.
     *
     * @throws CommandFailure if it cannot be used
     */
    public static PeerSet read(Path file) throws CommandFailure {
        try (TraceReader reader = TraceReader.open(file)) {
            return read(reader, file.toString(), String.valueOf(file.getFileName()));
        } catch (IOException unusable) {
            throw new CommandFailure(String.valueOf(unusable.getMessage()));
        }
    }

    /** The recording that comes along with the replay: a boot of Linux. */
    public static PeerSet shipped() throws CommandFailure {
        try (TraceReader reader = TraceFile.SHIPPED.open()) {
            return read(reader, TraceFile.SHIPPED.name(), TraceFile.SHIPPED.name());
        } catch (IOException | UnusableTraceException unusable) {
            throw new CommandFailure(String.valueOf(unusable.getMessage()));
        }
    }

    private static PeerSet read(TraceReader reader, String path, String name) throws IOException, CommandFailure {
        TraceSet set = new TraceSet();
        while (reader.next()) {
            set.add(reader.event());
        }
        TableSteps busiest = set.domains.values().stream()
                .max(Comparator.comparingInt(TableSteps::count))
                .orElseThrow(() -> new CommandFailure(path + ": expected requests of a guest, found none"));
        return of(name.replaceAll("(\\.trace)?(\\.gz)?$", ""), busiest);
    }

    private static PeerSet of(String name, TableSteps steps) {
        long[] none = new long[0];
        Keys keys = new Keys(none, none, none, none, steps.words());
        return new PeerSet(name + ", at most " + Quantity.count(steps.mostLive()) + " live", PeerOperation.OF_STEPS,
                () -> keys);
    }

    private void add(TraceEvent event) throws CommandFailure {
        if (event instanceof TraceEvent.Answered request && request.status() != 0) {
            return;
        }
        int iommu = event.iommu();
        switch (event) {
            case TraceEvent.Map map -> steps(new Id(iommu, map.domain()))
                    .map(signed(map.virtStart()), signed(map.virtEnd()), map.physStart());
            case TraceEvent.Unmap unmap -> steps(new Id(iommu, unmap.domain()))
                    .unmap(signed(unmap.virtStart()), last(unmap), unmap.removed());
            case TraceEvent.Translate translate -> translate(translate);
            case TraceEvent.Attach attach -> attach(new Id(iommu, attach.endpoint()), new Id(iommu, attach.domain()));
            case TraceEvent.Detach detach -> leave(new Id(iommu, detach.endpoint()));
            case TraceEvent.Reset _ -> reset(iommu);
            case TraceEvent.Status status -> status(status);
            default -> { }
        }
    }

    private void translate(TraceEvent.Translate event) throws CommandFailure {
        @Nullable Id domain = domainOfEndpoint.get(new Id(event.iommu(), event.endpoint()));
        if (domain != null && event.translation() == TranslationKind.ADDRESS) {
            steps(domain).translate(signed(event.iova()));
        }
    }

    private void attach(Id endpoint, Id domain) {
        if (!domain.equals(domainOfEndpoint.get(endpoint))) {
            leave(endpoint);
            domainOfEndpoint.put(endpoint, domain);
        }
    }

    private void leave(Id endpoint) {
        @Nullable Id left = domainOfEndpoint.remove(endpoint);
        if (left != null && !domainOfEndpoint.containsValue(left)) {
            steps(left).unmapAll();
        }
    }

    private void status(TraceEvent.Status event) {
        if (event.deviceStatus() == 0) {
            reset(event.iommu());
        }
    }

    private void reset(int iommu) {
        domainOfEndpoint.keySet().removeIf(endpoint -> endpoint.iommu == iommu);
        domains.forEach((domain, steps) -> {
            if (domain.iommu == iommu) {
                steps.unmapAll();
            }
        });
    }

    private TableSteps steps(Id domain) {
        return domains.computeIfAbsent(domain, first -> new TableSteps());
    }

    private static long last(TraceEvent.Unmap event) {
        return event.virtEnd() < 0 ? Long.MAX_VALUE : event.virtEnd();
    }

    /** Java's tree compares signed numbers. */
    private static long signed(long address) throws CommandFailure {
        if (address < 0) {
            throw new CommandFailure("a trace: expected addresses below 2^63, found " + Long.toHexString(address));
        }
        return address;
    }
}
