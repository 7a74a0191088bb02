"""Policy reload: a changed folder of policies is checked, and put in force in the process that runs agents."""

from kernos.adapters.sqlite.lock import WorkerLock
from kernos.app.cli.opening import existing, full_kernel
from kernos.app.cli.options import FAILED
from kernos.app.cli.policy_checking import agents_of, policies_of, print_faults
from kernos.app.policies import check_set, folder_texts
from kernos.app.settings import Settings
from kernos.vocabulary.gate import SET_DIGITS


async def reload_policies(settings: Settings) -> int:
    """Print what came of it; return the exit code. Raises BadConfiguration when the process that runs agents refuses."""
    folder = policies_of(settings)
    found, faults = check_set(folder_texts(folder), agents_of(settings))
    if found is None:
        print_faults(folder, faults, "the set in force stays as it is")
        return FAILED
    digest = found.policy.digest()[:SET_DIGITS]
    if WorkerLock.holder(existing(settings).store) is None:
        print(f"policy set {digest} is right; no process runs agents now, and the next start begins with it")
        return 0
    async with full_kernel(settings, works=False) as kernel:
        recorded = kernel.administrator.state.policies_in_force
        before = recorded.digest[:SET_DIGITS] if recorded is not None else "an unknown one"
        entered = (await kernel.reload_policies(folder, by=settings.by))[:SET_DIGITS]
    if entered == before:
        print(f"policy set {entered} is in force already; nothing changed")
    else:
        print(f"policy set {entered} is in force, in place of {before}")
    return 0
