// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.concurrency;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.tools.ToolProvider;

/**
 * One fence, one wait or one rest that the product could not do without, and the races that notice when it is gone.
 * What stands between guillemets is taken out of the source, where the whole must be found once; what follows a broken
 * bar there comes in its place.
 *
 * <p>Not listed is what an x86 processor makes up for: it shows stores in their order and does loads in theirs, so that
 * of all orders only a load before an earlier store can go wrong. With plain stores for the releases of leaves, without
 * the fence between the loads of a search, or with a plain store for the release in {@code ReaderSection.leave}, no
 * race was lost. Nor was one where a volatile field is stored before, which is a fence too: without that of {@code
 * Readers.awaitSlot}, and of {@code awaitAll} for a gate. There is no race yet that is tight enough for the fence of
 * {@code Invalidation.forget}; the one it pairs with is listed.
 */
enum Weakening {

    /** A reader looks at the table before the writer can see that it is inside. */
    NO_FENCE_IN_ENTER("vmm-core", "vmm/grace/ReaderSection",
            "«if (!CELL.compareAndSet(cell, MIDDLE, ticket, ticket | thisThread())) { return false; }"
                    + "¦CELL.setOpaque(cell, MIDDLE, ticket | thisThread());»", Races.SECTION, "Entry"),

    /** Two threads find no other inside, and both enter. */
    NO_CLAIM("vmm-core", "vmm/grace/ReaderSection",
            "«if (!CELL.compareAndSet(cell, MIDDLE, ticket, ticket | thisThread())) { return false; }"
                    + "¦CELL.setOpaque(cell, MIDDLE, ticket | thisThread()); VarHandle.fullFence();»",
            Races.SECTION, "Claim"),

    /** The writer looks at the readers before they can see that the mapping is gone. */
    NO_FENCE_IN_AWAIT("vmm-core", "vmm/grace/GracePeriods",
            "«VarHandle.fullFence();» ReaderSlot[] members", Races.SECTION, "Entry"),

    /** The writer sees a reader inside and goes on. */
    NO_WAIT_FOR_READERS("vmm-core", "vmm/grace/GracePeriods",
            "«awaitOne(slot, ticket, limitNanos);» } } }", Races.SECTION, "Entry"),

    /** The device never looks for readers. */
    NO_GRACE_PERIOD("viommu-device", "iommu/domain/Domains",
            "«readers.awaitAll(stallLimitNanos);»", Races.TRANSLATION, "MovingAttach"),

    /** An endpoint goes, and nobody waits for its devices. */
    NO_WAIT_AT_UNPLUG("viommu-device", "iommu/domain/Attachments",
            "«domains.gracePeriod();» endpoints.remove(endpoint);", Races.TRANSLATION, "Unplug"),

    /** What was unmapped stays in the caches of devices. */
    NO_FORGETTING("viommu-device", "iommu/domain/Domains",
            "«invalidation.forget();»", Races.TRANSLATION, "Unmap"),

    /** A device looks whether something was taken away before that can see what the device remembers. */
    NO_FENCE_IN_KEEP("vmm-core", "dma/translate/TranslationCache",
            "«VarHandle.fullFence();» } private void put", Races.CACHE, "Keep"),

    /** The device looks whether the driver wants an interrupt before that can see the used index. */
    NO_FENCE_IN_PUBLISH("virtqueue", "queue/SplitQueue",
            "«VarHandle.fullFence();» return driverWantsInterrupt", Races.NOTIFICATION, "Interrupt.*"),

    /** The device looks for buffers before the driver can see that it wants to be told of them. */
    NO_FENCE_IN_ENABLE_NOTIFICATIONS("virtqueue", "queue/SplitQueue",
            "«VarHandle.fullFence();» return available.u16Acquire", Races.NOTIFICATION, "Kick.*"),

    /** The driver looks whether the device wants a kick before that can see the available index. */
    NO_FENCE_IN_KICK_NEEDED("guest-driver", "driver/DriverQueue",
            "«VarHandle.fullFence();» if (!eventIdx)", Races.NOTIFICATION, "Kick.*"),

    /** The driver looks for used buffers before the device can see that it wants to be told of them. */
    NO_FENCE_BEHIND_USED_FLAGS("guest-driver", "driver/DriverQueue",
            "available.putU16(AvailableRing.FLAGS, 0); «VarHandle.fullFence();»", Races.NOTIFICATION,
            "InterruptByFlags"),

    /** The same with {@code used_event}. */
    NO_FENCE_BEHIND_USED_EVENT("guest-driver", "driver/DriverQueue",
            "available.putU16(AvailableRing.usedEvent(size), nextUsed); «VarHandle.fullFence();»", Races.NOTIFICATION,
            "InterruptByEvent"),

    /** A device finds its page marked before the copier can see what it wrote. */
    NO_FENCE_IN_MARK("vmm-core", "vmm/DirtyPages",
            "«VarHandle.fullFence();»", Races.MEMORY, "DirtyPage"),

    /** A place in a leaf serves again while a reader may have seen half of what was in it. */
    NO_REST_FOR_PLACES("viommu-device", "iommu/table/Leaf",
            "return «(int) (word >>> EPOCH_SHIFT) == epoch ? (int) word >>> FREED_SHIFT : »0;", Races.PLACE, "Reuse");

    private final String module;
    private final String source;
    private final String text;
    private final Races races;
    private final String name;

    Weakening(String module, String source, String text, Races races, String name) {
        this.module = module;
        this.source = source;
        this.text = text;
        this.races = races;
        this.name = name;
    }

    Races races() {
        return races;
    }

    /** The name of the race that should go wrong, a regular expression. */
    String race() {
        return name;
    }

    /** Compiles the one class as it is without; says where the result lies. */
    String compile(Path folder) throws IOException {
        Path home = Path.of(Objects.requireNonNull(System.getProperty("virtio4j.home")));
        Path file = home.resolve(module).resolve("src/main/java/org/virtio4j").resolve(source + ".java");
        Matcher found = pattern(text.replaceAll("«([^¦»]*)(¦[^»]*)?»", "$1")).matcher(Files.readString(file));
        if (found.results().count() != 1) {
            throw new IllegalStateException(this + ": what is to be weakened is not in " + file + " exactly once");
        }
        Path weakened = Files.createDirectories(folder.resolve("source")).resolve(file.getFileName());
        Files.writeString(weakened, found.replaceFirst(Matcher.quoteReplacement(weakened())));
        String classes = Files.createDirectories(folder.resolve("classes")).toString();
        int status = ToolProvider.getSystemJavaCompiler().run(null, null, null, "-nowarn", "-proc:none", "-d", classes,
                "-cp", ChildJvm.CLASS_PATH, weakened.toString());
        if (status != 0) {
            throw new IllegalStateException(this + " does not compile");
        }
        return classes;
    }

    private String weakened() {
        return text.replaceAll("«[^¦»]*(?:¦([^»]*))?»", "$1");
    }

    /** Finds some text however its lines are broken. */
    private static Pattern pattern(String text) {
        return Pattern.compile(Arrays.stream(text.split(" ", -1)).map(Pattern::quote)
                .collect(Collectors.joining("\\s+")));
    }
}
