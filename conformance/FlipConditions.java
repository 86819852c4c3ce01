// SPDX-License-Identifier: Apache-2.0

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** The flips of {@code conformance/flip-conditions}, which says how to use them. */
public final class FlipConditions {

    private static final String IOMMU = "viommu-device/src/main/java/org/virtio4j/iommu/";
    private static final String QUEUE = "virtqueue/src/main/java/org/virtio4j/queue/";
    private static final String DEVICE = "virtqueue/src/main/java/org/virtio4j/device/";
    private static final String DRIVER = "guest-driver/src/main/java/org/virtio4j/driver/";
    private static final String PCI = "pci-transport/src/main/java/org/virtio4j/pci/";
    private static final String MACHINE = "machine/src/main/java/org/virtio4j/machine/";
    private static final String VMM = "vmm-core/src/main/java/org/virtio4j/vmm/";
    private static final String DMA = "vmm-core/src/main/java/org/virtio4j/dma/";

    /** Tests are told by names of classes below {@code org.virtio4j}, in {@code iommu} if simple, maybe a method. */
    private static final List<Flip> FLIPS = List.of(
            new Flip(IOMMU + "request/RequestExecutor.java",
                    "if (request.reservedSet || (request.flags & ~attachFlags) != 0) {",
                    "if ((request.flags & ~attachFlags) != 0) {",
                    "rule 14: ATTACH with reserved bytes", "AttachTest"),
            new Flip(IOMMU + "request/RequestExecutor.java",
                    "((virtStart | physStart | (virtEnd + 1)) & granuleMask) != 0",
                    "((virtStart | physStart) & granuleMask) != 0",
                    "rule 26: alignment of MAP's end", "MapTest"),
            new Flip(IOMMU + "request/RequestExecutor.java",
                    "return domain.reserves(request.virtStart, request.virtEnd) ?",
                    "return domain.reserves(request.virtStart, request.virtStart) ?",
                    "rule 48: MAP over a reserved region", "ReservedMemoryTest"),
            new Flip(IOMMU + "domain/Attachments.java",
                    "domain.table().removed() == 0 || mappingListeners.unmap(",
                    "domain.table().removed() != 0 || mappingListeners.unmap(",
                    "mirrors hear of each UNMAP", "ListenerTest"),
            new Flip(IOMMU + "request/Doorbells.java",
                    "if (!isReserved(endpoint, request.physStart)) {",
                    "if (isReserved(endpoint, request.physStart)) {",
                    "5.13.6.8.1: who hears of a doorbell that is mapped", "UnreservedDoorbellTest"),
            new Flip(IOMMU + "request/Doorbells.java",
                    "&& kind != RegionKind.DOORBELL",
                    "",
                    "5.13.6.8.1: a doorbell that a mapping reaches", "UnreservedDoorbellTest"),
            new Flip(DEVICE + "SoleOwner.java",
                    "if (!owner.compareAndSet(null, taker)) {",
                    "if (!owner.compareAndSet(null, taker) && taker == null) {",
                    "a device has one window or function", "transport.SoleOwnerTest"),
            new Flip(DEVICE + "transport/DeviceReset.java",
                    "if (!state.givenUp) {",
                    "if (!state.givenUp || kind != null) {",
                    "a device that may be another's is left alone", "transport.SoleOwnerTest"),
            new Flip(IOMMU + "request/ReplyWriter.java",
                    "Math.min(probeSize, request.chain.writableLength() - RequestTail.SIZE)",
                    "Math.min(0, request.chain.writableLength() - RequestTail.SIZE)",
                    "rule 43: where the tail of PROBE lies", "ProbeTest"),
            new Flip(IOMMU + "request/RequestReader.java",
                    "if (length < RequestType.readableSize(type)) {",
                    "if (length < RequestType.readableSize(type) - 1) {",
                    "rule 11: a request that is too small", "OperationTest"),
            new Flip(IOMMU + "domain/Domains.java",
                    "readers.awaitAll(stallLimitNanos);",
                    "",
                    "rule 25: the grace period", "GracePeriodTest"),
            new Flip(IOMMU + "domain/InvalidationCount.java",
                    "void advance() {",
                    "void advance() {\n        if (get() >= 0) {\n            return;\n        }",
                    "leases of a ring end with the mapping", "RingBehindIommuTest"),
            new Flip(IOMMU + "domain/Attachments.java",
                    "boolean block = blockLive && ",
                    "boolean block = !blockLive && ",
                    "rule 7, choice: blocked after a reset", "InitialisationTest"),
            new Flip(IOMMU + "domain/EndpointTranslator.java",
                    "if (reserved != null) {",
                    "if (reserved == null && iova == 1) {",
                    "rule 49: reserved regions in bypass", "ReservedMemoryTest"),
            new Flip(DMA + "DmaHandle.java",
                    "!region.allows(access) || last.onlyMessages()",
                    "!region.allows(access)",
                    "rule 49: an MSI region is no memory", "ReservedMemoryTest"),
            new Flip(IOMMU + "fault/EventQueue.java",
                    "count == 0 || chain.writableLength() < FaultEvent.SIZE",
                    "count == 0 || chain.writableLength() <= FaultEvent.SIZE",
                    "rule 52: which buffers take a report", "FaultReportTest"),
            new Flip(IOMMU + "VirtioIommu.java",
                    "if (written > 1) {",
                    "if (written > 2) {",
                    "rule 6: values of the bypass byte", "ConfigLayoutTest"),
            new Flip(DEVICE + "QueueLoop.java",
                    "more |= turns.isPending();",
                    "more |= passes < 0;",
                    "no kick is lost", "KickTest#shouldServeWhatComesAfterTheLastLook"),
            new Flip(DEVICE + "BatchServer.java",
                    "if (!work.answer(i, chains[i]) && reach == Reach.NOW) {",
                    "if (!work.answer(i, chains[i]) && reach == Reach.LATER) {",
                    "2.7.8.2: an answer that waits for memory", "ExchangedMemoryTest"),
            new Flip(DEVICE + "ServedChain.java",
                    "if (result == DmaResult.CLOSED) {",
                    "if (result == DmaResult.FAULT) {",
                    "a handler whose chain had no memory is called again", "endpoint.OwnDeviceTest"),
            new Flip(DEVICE + "HandlerWork.java",
                    "condition == null || condition.getAsBoolean()",
                    "condition == null || !condition.getAsBoolean()",
                    "buffers wait for something to say", "endpoint.OwnDeviceTest"),
            new Flip(DEVICE + "KeptChain.java",
                    "(seen == KEPT && !kept.isServing(queue))",
                    "(seen == KEPT && kept.isServing(null))",
                    "2.4.2: completing after a reset", "endpoint.KeptChainTest"),
            new Flip(DEVICE + "KeptChains.java",
                    "result == DmaResult.OK && kept.missing() > 0",
                    "result == DmaResult.OK && kept.missing() < 0",
                    "an answer longer than a section is given back whole", "endpoint.KeptChainTest"),
            new Flip(DEVICE + "transport/QueueStop.java",
                    "finished ? FirstFailure.after(thrown, state.signals::updateLine) : null",
                    "finished ? thrown : null",
                    "2.6.1.1.1: the interrupt of a queue that was reset", "transport.QueueResetTest"),
            new Flip(QUEUE + "SplitQueue.java",
                    "(available.u16(AvailableRing.FLAGS) & AvailableRing.FLAG_NO_INTERRUPT) == 0",
                    "(available.u16(AvailableRing.FLAGS) & AvailableRing.FLAG_NO_INTERRUPT) != 0",
                    "2.7.7: NO_INTERRUPT", "KickTest"),
            new Flip(QUEUE + "SplitQueue.java",
                    "((nextUsed - event - 1) & INDEX_MASK) < ((nextUsed - before) & INDEX_MASK)",
                    "((nextUsed - event - 1) & INDEX_MASK) <= ((nextUsed - before) & INDEX_MASK)",
                    "2.7.7.2: used_event", "KickTest"),
            new Flip(QUEUE + "SplitQueue.java",
                    "((silentUntil - nextUsed) & INDEX_MASK) < size",
                    "((silentUntil - nextUsed) & INDEX_MASK) > size",
                    "2.7.10: avail_event of a polled queue", "queue.SplitRingPolledTest"),
            new Flip(QUEUE + "Chain.java",
                    "if (offset <= writtenLength && ",
                    "if (offset < writtenLength && ",
                    "2.7.8: the used length", "OperationTest"),
            new Flip(QUEUE + "ChainWalker.java",
                    "if (!indirectNegotiated) {",
                    "if (indirectNegotiated) {",
                    "2.7.5.3: indirect descriptors", "FramingTest"),
            new Flip(DEVICE + "transport/StatusSteps.java",
                    "if (started) {",
                    "if (!started) {",
                    "3.1.1: buffers from before DRIVER_OK", "KickTest"),
            new Flip(DMA + "translate/LastTranslation.java",
                    "(permitted & access.mask()) != 0",
                    "permitted != 0",
                    "rule 31: access that is not allowed", "MapTest"),
            new Flip(VMM + "grace/GracePeriods.java",
                    "slot.ticket() == ticket; round++",
                    "slot.ticket() != ticket; round++",
                    "rule 25: waiting for a section", "GracePeriodTest"),
            new Flip(DEVICE + "transport/InterruptStatus.java",
                    "WORDS.getAndBitwiseOr(words, word, bit) == 0",
                    "WORDS.getAndBitwiseOr(words, word, bit) != 0",
                    "4.2.2: the interrupt line", "FaultReportTest"),
            new Flip(PCI + "MessageVectors.java",
                    "vector == CommonConfig.NO_VECTOR ? null",
                    "vector != CommonConfig.NO_VECTOR ? null",
                    "4.1.5.1.2: the vector of a queue", "FaultReportTest"),
            new Flip(PCI + "EventVectors.java",
                    "vector < vectors ? vector",
                    "vector <= vectors ? vector",
                    "4.1.5.1.2.1: a mapping that fails", "pci.MessageInterruptTest"),
            new Flip(PCI + "FunctionInterrupts.java",
                    "return !messages && isr.bits() != 0;",
                    "return isr.bits() != 0;",
                    "4.1.4.5.1: the interrupt status bit", "pci.PinInterruptTest"),
            new Flip(PCI + "MsixTableWords.java",
                    "return !enabled || functionMasked ||",
                    "return !enabled ||",
                    "PCI 6.8.2: the mask of the function", "pci.MessageInterruptTest"),
            new Flip(PCI + "MsixTableWords.java",
                    "(counting[vector] && (words",
                    "((words",
                    "PCI 6.8.2: a table that nobody has written", "pci.MaskedVectorTest"),
            new Flip(PCI + "SinkVectors.java",
                    "return holding || words.masked(vector);",
                    "return holding;",
                    "PCI 6.8.2.9: masks where vectors are handed over", "pci.MaskedVectorTest"),
            new Flip(PCI + "SinkVectors.java",
                    "boolean ignored = pending.map(event, vector);",
                    "",
                    "2.6.1.1.1: what is masked is withdrawn with its queue", "pci.MaskedVectorTest"),
            new Flip(PCI + "MessageVectors.java",
                    "if (result == DmaResult.CLOSED) {",
                    "if (result == DmaResult.FAULT) {",
                    "PCI 6.2.2: a message that must wait", "pci.MessageInterruptTest"),
            new Flip(PCI + "MessageVectors.java",
                    "return gate.isOpen() ? decide(vector) : null;",
                    "return null;",
                    "no message is left behind", "pci.InterruptRaceTest"),
            new Flip(PCI + "EventVectors.java",
                    "last = counts[before] == 0;",
                    "last = true;",
                    "4.1.5.1.2.1: events that share a vector", "pci.WithdrawnInterruptTest"),
            new Flip(PCI + "FunctionInterrupts.java",
                    "FirstFailure.after(null, vectors::awaitWithdrawn)",
                    "null",
                    "2.4.1: a message that is on its way", "pci.InterruptRaceTest"),
            new Flip(PCI + "CommonRegisters.java",
                    "if (value == 1) {\n            queues.enable(queueSelect);",
                    "if (value != 1) {\n            queues.enable(queueSelect);",
                    "4.1.4.3.2: queue_enable", "pci.CommonConfigurationTest"),
            new Flip(PCI + "BusMastering.java",
                    "failure.run(pause ? data::pause : data::close);",
                    "failure.run(() -> { });",
                    "PCI 6.2.2: bus mastering ends", "pci.CommandRegisterTest"),
            new Flip(PCI + "BusMastering.java",
                    "failure.run(pause ? data::pause : data::close);",
                    "failure.run(data::close);",
                    "PM 5.4.1: what is at work goes on after D3hot", "endpoint.DeviceWithWorkTest"),
            new Flip(PCI + "BarAccess.java",
                    "width && offset % length == 0 && bars.inStructure(offset, length)",
                    "width && bars.inStructure(offset, length)",
                    "4.1.4.9.2: a window that is misaligned", "pci.ConfigurationWindowTest"),
            new Flip(DMA + "DmaGate.java",
                    "moved(before, false));",
                    "moved(before, false));\n        if (passage != 0) {\n            return;\n        }",
                    "bus mastering ends with the sections", "pci.CommandRegisterTest"),
            new Flip(VMM + "GuestMemory.java",
                    "complete(false);",
                    "complete(true);",
                    "memory that is being exchanged is no fault of the driver's", "vfiouser.BringUpTest"),
            new Flip(IOMMU + "ConfigSpace.java",
                    "return hasBypassByte && offset <= IommuConfig.BYPASS",
                    "return offset <= IommuConfig.BYPASS",
                    "no bypass byte where a topology is described", "TopologyProfileTest"),
            new Flip(IOMMU + "VirtioIommu.java",
                    "accepted.without(IommuFeature.BYPASS_CONFIG);",
                    "accepted;",
                    "no bypass domains where a topology is described", "TopologyProfileTest"),
            new Flip(IOMMU + "UsableRanges.java",
                    "if (wrapped || (behind == 0 && end != -1)) {",
                    "if (wrapped) {",
                    "what is usable at both ends of 64 bits", "CapabilitiesTest"),
            new Flip(DRIVER + "iommu/EarlyTopology.java",
                    "if (offset <= 1) {",
                    "if (offset < 1) {",
                    "5.13.4: a bypass byte is no topology", "TopologyProfileTest"),
            new Flip(MACHINE + "Topology.java",
                    "if (scope(device).isPresent()) {",
                    "if (scope(device).isPresent() && device instanceof MmioBase) {",
                    "an IOMMU is nobody's endpoint, even in a range", "machine.TopologyFormsTest"),
            new Flip(MACHINE + "tree/IommuMap.java",
                    "topology.scopes().forEach(scope -> addIfIn(range, scope.location(), gaps));",
                    "",
                    "iommu-map is split around the IOMMU itself", "machine.TopologyFormsTest"),
            new Flip(MACHINE + "acpi/ViotTable.java",
                    "iommu += ViotPciIommu.SIZE;",
                    "iommu += 0;",
                    "each range leads to its own IOMMU", "machine.TopologyFormsTest"),
            new Flip(IOMMU + "domain/Attachments.java",
                    "domains.gracePeriod();\n        endpoints.remove(endpoint);",
                    "endpoints.remove(endpoint);",
                    "no byte lands after an unplug", "PlugRaceTest"),
            new Flip(IOMMU + "domain/Attachments.java",
                    "release(endpoint, unplugged);",
                    "release(endpoint, unattached);",
                    "what was unplugged refuses for good", "PlugTest"),
            new Flip(IOMMU + "fault/EventQueue.java",
                    "context == null || !where.isPlugged()",
                    "context == null",
                    "rule 51: faults after an unplug", "PlugTest"),
            new Flip(IOMMU + "IommuEndpoints.java",
                    "events.drop(endpoint);",
                    "",
                    "rule 51: faults that wait at an unplug", "PlugTest"),
            new Flip(IOMMU + "domain/Domain.java",
                    "if (!has(endpoint.pages())) {\n            drop",
                    "if (has(endpoint.pages())) {\n            drop",
                    "reserved regions leave a domain with their endpoint", "PlugTest"),
            new Flip(IOMMU + "domain/Attachments.java",
                    "if (members.get(i).domain() != domain) {\n                movers",
                    "if (members.get(i) == members.getFirst()) {\n                movers",
                    "ATTACH moves all ids of a group", "GroupTest"),
            new Flip(IOMMU + "domain/Attachments.java",
                    "endpoint.group().isShared() && !endpoint.domain().isAttachment()",
                    "!endpoint.group().isShared() && !endpoint.domain().isAttachment()",
                    "a repeated DETACH in a group", "GroupTest"),
            new Flip(IOMMU + "domain/EndpointGroup.java",
                    "members.get(i).domain() != domain && !domain.accepts(members.get(i).regions())",
                    "i == 0 && !domain.accepts(members.get(i).regions())",
                    "reserved regions of all ids of a group", "GroupTest"),
            new Flip(IOMMU + "domain/Attachments.java",
                    "group.isClaimed() || group.isAttached()",
                    "group.isClaimed()",
                    "no claim of what the driver has attached", "ClaimTest"),
            new Flip(IOMMU + "domain/Attachments.java",
                    "return endpoint.group().isClaimed() || isBarred(endpoint);",
                    "return isBarred(endpoint);",
                    "ATTACH of what is claimed", "ClaimTest"),
            new Flip(IOMMU + "domain/Attachments.java",
                    "!closed && group.isHeldBy(holder)",
                    "!closed",
                    "a claim is given back by its holder", "ClaimTest"),
            new Flip(IOMMU + "domain/Domains.java",
                    "domain.table().size() < limits.mappingsPerDomain()",
                    "domain.table().size() <= limits.mappingsPerDomain()",
                    "the limit of mappings of a domain", "LimitTest"),
            new Flip(IOMMU + "domain/Domains.java",
                    "domains.size() - ending < limits.domains()",
                    "domains.size() < limits.domains()",
                    "domains that end by an ATTACH make room", "LimitTest"),
            new Flip(IOMMU + "domain/EndpointGroup.java",
                    "if (domain.endpoints().get(i).group() != this) {",
                    "if (domain.endpoints().get(i).group() == this) {",
                    "domains that end by an ATTACH are the group's alone", "RandomPlugTest"),
            new Flip(PCI + "PciBus.java",
                    "functions = fewer;",
                    "functions = functions.clone();",
                    "a function that was removed reads all ones", "pci.PciBusTest"),
            new Flip(MACHINE + "Machine.java",
                    "Part part = devices.remove(location);",
                    "Part part = devices.get(location);",
                    "what was removed is not reset", "machine.MachineTest"),
            new Flip(IOMMU + "request/MapGroup.java",
                    "boolean announced = batch.size() > 1 && executor.announce(mapped, batch);",
                    "boolean announced = batch.size() > 1;",
                    "mirrors are asked before MAPs are made", "MirrorBatchTest"),
            new Flip(IOMMU + "request/RequestQueue.java",
                    "        group.begin();",
                    "",
                    "what waited when a mirror threw is forgotten", "MirrorBatchTest"),
            new Flip(IOMMU + "request/MapGroup.java",
                    "boolean ended = mapped.isEmpty();",
                    "boolean ended = false;",
                    "MAPs whose domain ends with an expelled mirror", "MirrorBatchTest"),
            new Flip(IOMMU + "domain/MappingListeners.java",
                    "asked.get(j).takeBack(domain, batch, batch.size());",
                    "asked.get(j).takeBack(domain, batch, 0);",
                    "what one mirror refuses, the others take back", "MirrorBatchTest"),
            new Flip(IOMMU + "domain/Mirror.java",
                    "takeBack(domain, batch, announcement.agreed());",
                    "takeBack(domain, batch, 0);",
                    "a mirror that refuses takes back what it had agreed to", "MirrorBatchTest"),
            new Flip(IOMMU + "domain/Attachments.java",
                    "while (mappingListeners.takeExpulsion()) {",
                    "while (mappingListeners.takeExpulsion() && closed) {",
                    "the endpoints of an expelled mirror are blocked", "ListenerTest"),
            new Flip(IOMMU + "domain/Announcement.java",
                    "if (pending && joins && continues(virtStart, physStart, flags)) {",
                    "if (pending && continues(virtStart, physStart, flags)) {",
                    "mappings are joined only for a mirror that can split", "MirrorBatchTest"),
            new Flip(IOMMU + "domain/Announcement.java",
                    "&& physStart != 0 && flags == pendingFlags;",
                    "&& flags == pendingFlags;",
                    "mappings are not joined over the end of guest-physical memory", "MirrorBatchTest"),
            new Flip(IOMMU + "request/RequestExecutor.java",
                    "&& !batch.overlaps(request.virtStart, request.virtEnd)",
                    "",
                    "rule 27: MAPs of one batch that overlap", "MirrorBatchTest"),
            new Flip(IOMMU + "request/RequestExecutor.java",
                    "&& domains.hasRoom(domain, batch.size() + 1)",
                    "&& domains.hasRoom(domain, 1)",
                    "MAPs of one batch count against the limits", "MirrorBatchTest"),
            new Flip(IOMMU + "domain/Mirror.java",
                    "if (!holdsOneDomain) {",
                    "if (!holdsOneDomain || !domains.isEmpty()) {",
                    "rule 20: endpoints that share an address space", "MirrorBatchTest"),
            new Flip(IOMMU + "domain/MappingListeners.java",
                    "            enterFormer(mirror, movers);",
                    "            mirror.hearsAny(movers);",
                    "a refused move leaves a mirror where it was", "MirrorFaultTest"),
            new Flip(IOMMU + "domain/Attachments.java",
                    "return answer == Answer.DONE && endpoint.domain() != domain ? Answer.FAILED : answer;",
                    "return answer;",
                    "rule 21: an ATTACH that ends in a blocked endpoint", "MirrorFaultTest"),
            new Flip(IOMMU + "request/RequestQueue.java",
                    "            domains.gracePeriodIfNeeded();\n",
                    "",
                    "the endpoints of a mirror that throws are kept out", "MirrorFaultTest"),
            new Flip(IOMMU + "domain/Attachments.java",
                    "domains.moved();\n        leave(endpoint, old);",
                    "leave(endpoint, old);",
                    "devices forget what an expelled mirror's endpoints have seen", "MirrorFaultTest"));

    private static final List<String> MODULES = List.of("host-os", "wire", "vmm-core", "virtqueue", "viommu-device",
            "mmio-transport", "pci-transport", "guest-driver", "endpoint-devices", "machine", "vfio-user",
            "vfio-host");

    /** The tests, and what they use. */
    private static final List<String> TESTS = List.of("src/test/java/org/virtio4j/iommu",
            "src/test/java/org/virtio4j/pci", "src/test/java/org/virtio4j/transport",
            "src/test/java/org/virtio4j/fixture", "src/test/java/org/virtio4j/guide", "src/test/java/org/virtio4j/vmm",
            "src/test/java/org/virtio4j/queue", "src/test/java/org/virtio4j/endpoint",
            "src/test/java/org/virtio4j/machine", "vfio-user/src/test/java");
    private static final long LIMIT_SECONDS = 100;

    private final Path root;
    private final Path work;

    private FlipConditions(Path root, Path work) {
        this.root = root;
        this.work = work;
    }

    /** One condition, and who notices when it is turned round. */
    private record Flip(String file, String original, String replacement, String rule, String test) {

        private String name() {
            return file.substring(0, file.indexOf('/')) + " " + file.substring(file.lastIndexOf('/') + 1) + ", " + rule;
        }
    }

    /** Arguments: the project's folder, a folder to work in, numbers of flips. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        long began = System.nanoTime();
        FlipConditions conditions = new FlipConditions(Path.of(arguments[0]), Path.of(arguments[1]));
        List<Integer> chosen = new ArrayList<>();
        for (String number : Arrays.asList(arguments).subList(2, arguments.length)) {
            chosen.add(index(number));
        }
        for (int i = 0; chosen.size() < FLIPS.size() && arguments.length == 2; i++) {
            chosen.add(i);
        }
        conditions.prepare(chosen);
        int caught = 0;
        for (int index : chosen) {
            caught += conditions.flip(index) ? 1 : 0;
        }
        System.out.printf("%d of %d flips caught in %d s%n", caught, chosen.size(),
                TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - began));
        System.exit(caught == chosen.size() ? 0 : 1);
    }

    private static int index(String number) {
        try {
            int index = Integer.parseInt(number) - 1;
            if (index >= 0 && index < FLIPS.size()) {
                return index;
            }
        } catch (NumberFormatException tooLong) {
            // Refused as numbers out of range are.
        }
        give("expected 1 to " + FLIPS.size() + ", found '" + number + "'");
        return -1;
    }

    /** Compiles everything as it is, and shows that the tests pass then. */
    private void prepare(List<Integer> chosen) throws IOException, InterruptedException {
        List<Path> main = new ArrayList<>();
        for (String module : MODULES) {
            main.addAll(sources(root.resolve(module).resolve("src/main/java")));
        }
        List<Path> test = new ArrayList<>();
        for (String name : TESTS) {
            test.addAll(sources(root.resolve(name)));
        }
        if (!compile(main, "main", "") || !compile(test, "test", work.resolve("main").toString())) {
            give("the project does not compile");
        }
        TreeSet<String> tests = new TreeSet<>();
        chosen.forEach(index -> tests.add(FLIPS.get(index).test()));
        String failed = run("", tests.toArray(String[]::new));
        if (!failed.isEmpty()) {
            give("without any flip: " + failed);
        }
    }

    private boolean flip(int index) throws IOException, InterruptedException {
        Flip flip = FLIPS.get(index);
        String text = Files.readString(root.resolve(flip.file()));
        int first = text.indexOf(flip.original());
        String result;
        if (first < 0 || text.indexOf(flip.original(), first + 1) >= 0) {
            result = "NOT TRIED " + (first < 0 ? "text not found" : "text found more than once");
        } else {
            Path flipped = work.resolve("flip" + index).resolve("source").resolve(Path.of(flip.file()).getFileName());
            Files.createDirectories(flipped.getParent());
            Files.writeString(flipped, text.replace(flip.original(), flip.replacement()));
            String classes = "flip" + index + "/classes";
            result = !compile(List.of(flipped), classes, work.resolve("main").toString())
                    ? "NOT TRIED does not compile"
                    : verdict(run(work.resolve(classes).toString(), flip.test()));
        }
        System.out.printf("%2d %-75s %s%n", index + 1, flip.name(), result);
        return result.startsWith("caught");
    }

    private static String verdict(String failed) {
        return failed.isEmpty() ? "NOT CAUGHT" : failed.startsWith("?") ? "NOT CAUGHT " + failed : "caught by " + failed;
    }

    private boolean compile(List<Path> files, String into, String before) {
        List<String> options = new ArrayList<>(List.of("-nowarn", "-proc:none", "-d", work.resolve(into).toString(), "-cp",
                before + File.pathSeparator + System.getProperty("java.class.path")));
        files.forEach(file -> options.add(file.toString()));
        return ToolProvider.getSystemJavaCompiler().run(null, null, null, options.toArray(String[]::new)) == 0;
    }

    /** Runs tests with some classes in front of the usual ones; says which one failed first, nothing if none did. */
    private String run(String front, String... tests) throws IOException, InterruptedException {
        Path output = Files.createTempFile(work, "run", ".txt");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED", "-Dvirtio4j.home=" + root, "-cp",
                String.join(File.pathSeparator, front, work.resolve("main").toString(),
                        work.resolve("test").toString(), System.getProperty("java.class.path")),
                Runner.class.getName()));
        command.addAll(List.of(tests));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile()).start();
        if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            return "? the tests did not end within " + LIMIT_SECONDS + " s";
        }
        if (process.exitValue() == 0) {
            return "";
        }
        return Files.readString(output, StandardCharsets.UTF_8).lines()
                .filter(line -> line.startsWith(Runner.FAILED)).map(line -> line.substring(Runner.FAILED.length()))
                .findFirst().orElse("? exit status " + process.exitValue() + ", see " + output);
    }

    private static List<Path> sources(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(".java"))
                    .filter(file -> !file.endsWith("module-info.java")).toList();
        } catch (UncheckedIOException unreadable) {
            throw unreadable.getCause();
        }
    }

    private static void give(String reason) {
        System.err.println("flip-conditions: " + reason);
        System.exit(2);
    }

    /** Runs test classes in a JVM of their own until one test fails. */
    static final class Runner implements TestExecutionListener {

        static final String FAILED = "FAILED ";

        private int succeeded;

        public static void main(String[] classes) {
            Runner runner = new Runner();
            LauncherDiscoveryRequestBuilder request = LauncherDiscoveryRequestBuilder.request();
            for (String name : classes) {
                String full = "org.virtio4j." + (name.contains(".") ? name : "iommu." + name);
                request.selectors(full.contains("#") ? selectMethod(full) : selectClass(full));
            }
            LauncherFactory.create().execute(request.build(), runner);
            Runtime.getRuntime().halt(runner.succeeded > 0 ? 0 : 3);
        }

        @Override
        public void executionFinished(TestIdentifier identifier, TestExecutionResult result) {
            if (result.getStatus() == TestExecutionResult.Status.FAILED) {
                System.out.println(FAILED + identifier.getSource().map(source -> source instanceof MethodSource method
                        ? method.getClassName().replaceAll(".*\\.", "") + "." + method.getMethodName()
                        : source.toString()).orElse(identifier.getDisplayName()));
                result.getThrowable().ifPresent(Throwable::printStackTrace);
                System.out.flush();
                Runtime.getRuntime().halt(1);
            }
            succeeded += identifier.isTest() ? 1 : 0;
        }
    }
}
