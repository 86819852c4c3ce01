// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.virtio4j.endpoint.BlockCounters;
import org.virtio4j.endpoint.ConsoleCounters;
import org.virtio4j.endpoint.VirtioBlock;
import org.virtio4j.endpoint.VirtioConsole;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.embedder.IommuCounters;
import org.virtio4j.serving.plan.DevicePlan;
import org.virtio4j.serving.plan.Idling;
import org.virtio4j.serving.plan.MachinePlan;
import org.virtio4j.wire.iommu.RequestType;

/** What a served machine has to say for its user: a line each. */
final class MachineReport {

    private MachineReport() {
    }

    /** Disks that are not locked against other processes. */
    static List<String> unlockedDisks(List<ServedFunction> functions) {
        List<String> lines = new ArrayList<>();
        for (ServedFunction function : functions) {
            if (function.device() instanceof VirtioBlock disk) {
                disk.lockNotice().ifPresent(notice -> lines.add(function.name() + ": " + notice));
            }
        }
        return lines;
    }

    /** Which devices are polled, and how the threads idle that do it. */
    static List<String> polledDevices(MachinePlan plan, String iommu) {
        List<String> lines = new ArrayList<>();
        plan.iommu().polling().ifPresent(idling -> lines.add(polledDevice(iommu, idling)));
        for (DevicePlan device : plan.devices()) {
            device.polling().ifPresent(idling -> lines.add(polledDevice(device.name(), idling)));
        }
        return lines;
    }

    private static String polledDevice(String name, Idling idling) {
        return name + " is polled (idle = " + idling.word() + ") and asks for no notification";
    }

    /** What the IOMMU has counted. */
    static List<String> of(VirtioIommu iommu) {
        IommuCounters counters = iommu.counters();
        List<String> lines = new ArrayList<>(List.of(
                String.format(Locale.ROOT, "ATTACH %,d, MAP %,d, UNMAP %,d of %,d mappings, PROBE %,d, in %,d batches",
                        counters.requests(RequestType.ATTACH), counters.requests(RequestType.MAP),
                        counters.requests(RequestType.UNMAP), counters.removedMappings(),
                        counters.requests(RequestType.PROBE), counters.batches()),
                String.format(Locale.ROOT, "translations: %,d, of which %,d did not have to ask the mapping table",
                        counters.translations(), counters.cacheHits()),
                String.format(Locale.ROOT, "faults: %,d reported, %,d lost", counters.reportedFaults(),
                        counters.lostFaults()),
                String.format(Locale.ROOT, "left over: %,d mappings, %,d domains", iommu.liveMappings(),
                        iommu.liveDomains())));
        counters.lastListenerFailure().ifPresent(last -> lines.add(String.format(Locale.ROOT,
                "failures of listeners: %,d, the last: %s", counters.listenerFailures(), last)));
        return lines;
    }

    /** What disks and consoles have counted. */
    static List<String> ofDevices(List<ServedFunction> functions) {
        List<String> lines = new ArrayList<>();
        for (ServedFunction function : functions) {
            if (function.device() instanceof VirtioConsole console) {
                ConsoleCounters bytes = console.counters();
                lines.add(String.format(Locale.ROOT, "%s: %,d bytes put out, %,d typed", function.name(),
                        bytes.outputBytes(), bytes.inputBytes()));
            }
            if (function.device() instanceof VirtioBlock disk) {
                BlockCounters blocks = disk.counters();
                lines.add(String.format(Locale.ROOT, "%s: %,d bytes read, %,d written", function.name(),
                        blocks.bytesRead(), blocks.bytesWritten()));
            }
        }
        return lines;
    }

    /** What the threads that poll have found, by the name of the device. */
    static List<String> of(Map<String, PollingThread> polling) {
        List<String> lines = new ArrayList<>();
        polling.forEach((name, thread) ->
                lines.add(String.format(Locale.ROOT, "%s: %,d buffers found by polling", name, thread.found())));
        return lines;
    }
}
