// Tells people what the month costs before the bill does. Stops nothing. What to do then: docs/runbooks/cost.md.
param suffix string

@description('Amount a month, in the currency of the subscription.')
param amount int
param contacts string[]

@description('First day of a month, not before this one when the budget is made: yyyy-MM-01.')
param start string

resource budget 'Microsoft.Consumption/budgets@2023-11-01' = {
  name: 'knutepunkt-${suffix}'
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: { startDate: start }
    notifications: {
      half: { enabled: true, operator: 'GreaterThanOrEqualTo', threshold: 50, thresholdType: 'Actual', contactEmails: contacts }
      most: { enabled: true, operator: 'GreaterThanOrEqualTo', threshold: 80, thresholdType: 'Actual', contactEmails: contacts }
      all: { enabled: true, operator: 'GreaterThanOrEqualTo', threshold: 100, thresholdType: 'Actual', contactEmails: contacts }
      forecast: { enabled: true, operator: 'GreaterThanOrEqualTo', threshold: 110, thresholdType: 'Forecasted', contactEmails: contacts }
    }
  }
}
