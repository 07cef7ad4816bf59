"""The examples of docs/api.md, one after the other as one script; a test runs it in a folder of its own.

A line `# ==== NAME` begins the example of a public name; `docs/generate.py` puts each beside what it shows.
"""

if __name__ == "__main__":
    # ==== load_case
    import optimizer as opt

    case = opt.load_case("optimizer/starter")
    print(case, case.first, case.last)

    # ==== Case
    rich = case.replace(capex_budget_musd=2 * case.settings.capex_budget_musd)
    prices = case.table("bitcoin")
    prices["hashprice_usd_per_ph_day"] *= 1.1
    dearer = case.replace(bitcoin=prices)
    assert rich != case != dearer

    # ==== save_case
    opt.save_case(dearer, "dearer")
    opt.save_case(dearer, "dearer.xlsx")
    assert opt.load_case("dearer") == opt.load_case("dearer.xlsx") == dearer

    # ==== solve
    plan = opt.solve(case)
    other = opt.solve(dearer, gap=1e-3, time_limit=60)
    print(plan.word, plan.value_musd, other.value_musd)

    # ==== Plan
    print(plan.kpis["value_over_do_nothing_musd"], plan.starts, plan.statement, sep="\n")
    by_site = plan.allocation.pivot_table(index="site", columns="use", values="gross_mw", aggfunc="max")
    assert set(by_site.index) == set(case.site)

    # ==== save_plan
    opt.save_plan(plan, "results/mine")

    # ==== load_plan
    again = opt.load_plan("results/mine")
    assert again.run_id == plan.run_id

    # ==== audit
    report = opt.audit(case, plan)
    assert report.clean
    print(report.summary())

    # ==== compare
    print(opt.compare(plan, other).summary())

    # ==== regret
    study = opt.regret([plan, other], names=["as it is", "dearer BTC"])
    print(study.title, study.tables["regret"], sep="\n")

    # ==== explain
    poor = case.replace(minimum_cash_musd=5000)
    conflict = opt.explain(poor)
    print("none" if conflict is None else conflict.report())

    # ==== Infeasible
    try:
        opt.solve(poor)
    except opt.Infeasible as none:
        print(none, none.clashes)

    # ==== NoPlan
    try:
        opt.solve(case, time_limit=0)
    except opt.NoPlan as none:
        print(none, none.bound)

    # ==== InputError
    try:
        case.replace(capex_budget_musd=-1)
    except opt.InputError as refused:
        for finding in refused.findings:
            print(finding.file, finding.column, finding.value, finding.why, finding.mend)

    # ==== PlanError
    try:
        opt.load_plan("nowhere")
    except opt.PlanError as refused:
        print(refused)

    # ==== processes
    from optimizer.questions.studies.tornado import tornado
    from optimizer.questions.sweeps.runner import Sweep, workers

    with workers(2) as pool:
        study = tornado(plan, sweep=Sweep(executor=pool))
    print(study.title)
